"""docs/errors.md shows the tables of the error codes, and the tables are whole."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import get_args

from app.errors import HTTP_CODES
from backprop_client.wire import error_codes
from backprop_client.wire.error_codes import ANSWERS, FAILURES, GROUPS, STATUS_OF, ErrorCode, Group, Kind
from infra import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text()


def table_of(group: Group) -> str:
    """The group's table as the page must have it: the text to paste when a code has changed."""
    if all(error.kind == "failed_job" for error in group.errors):
        head = "| code | meaning | what to do |\n|---|---|---|\n"
        return head + "".join(f"| `{each.code}` | {each.meaning} | {each.remedy} |\n" for each in group.errors)
    head = "| code | status | meaning | what to do |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{each.code}` | {STATUS_OF[each.kind]} | {each.meaning} | {each.remedy} |\n" for each in group.errors
    )


def test_the_page_has_each_table_under_its_title() -> None:
    sections = dict(section.split("\n", 1) for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
    assert list(sections) == [group.title for group in GROUPS]
    for group in GROUPS:
        table = sections[group.title]
        assert table[table.index("| code") :].rstrip("\n") + "\n" == table_of(group)


def test_the_codes_of_each_kind_are_those_that_its_type_allows() -> None:
    rows = [error for group in GROUPS for error in group.errors]
    types = {kind: "".join(part.title() for part in kind.split("_")) + "Code" for kind in get_args(Kind)}
    types["failed_job"] = "FailureCode"
    for kind, name in types.items():
        assert [error.code for error in rows if error.kind == kind] == list(get_args(getattr(error_codes, name))), kind


def test_no_code_comes_twice() -> None:
    rows: list[ErrorCode] = [error for group in GROUPS for error in group.errors]
    assert len(ANSWERS) + len(FAILURES) == len(rows)
    assert not [code for code, times in Counter(error.code for error in rows).items() if times > 1] or (
        set(ANSWERS) & set(FAILURES) == {"internal_error"}
    )


def test_every_error_says_what_has_happened_and_what_to_do() -> None:
    for error in [*ANSWERS.values(), *FAILURES.values()]:
        assert error.meaning.endswith("."), error.code
        assert error.remedy.endswith("."), error.code


def test_every_kind_of_exception_is_a_kind_of_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ServiceError)]
    for kind in kinds:
        if kind is not errors.ServiceError:
            assert kind.kind in STATUS_OF


def test_what_http_itself_refuses_has_the_status_of_its_code() -> None:
    for status, (code, _detail) in HTTP_CODES.items():
        assert STATUS_OF[ANSWERS[code].kind] == status


def test_examples_in_the_documents_have_codes_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {code for page in pages for code in re.findall(r'"code": "(\w+)"', page.read_text())}
    assert named
    assert named <= ANSWERS.keys() | FAILURES.keys()
