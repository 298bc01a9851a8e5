"""docs/errors.md shows the tables of the error codes, and the tables are whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from app.errors import HTTP_CODES
from backprop_client.wire import error_codes
from backprop_client.wire.error_codes import ANSWERS, FAILURES, GROUPS, STATUS_OF, ErrorCode, Group, Kind
from infra import errors
from infra.errors import ServiceError

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
    assert ANSWERS.keys() & FAILURES.keys() == {"internal_error"}


def test_every_error_says_what_has_happened_and_what_to_do() -> None:
    for error in [*ANSWERS.values(), *FAILURES.values()]:
        assert error.meaning.endswith("."), error.code
        assert error.remedy.endswith("."), error.code


def literals(codes: object) -> Iterator[str]:
    """The values of a Literal, or of a union of some."""
    for part in get_args(codes):
        if isinstance(part, str):
            yield part
        else:
            yield from literals(part)


def test_each_exception_has_the_codes_of_its_kind_and_no_other() -> None:
    defined = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ServiceError)]
    exceptions = [each for each in defined if hasattr(each, "kind")]
    for exception in exceptions:
        (codes,) = get_args(exception.__orig_bases__[0])  # type: ignore[attr-defined]
        named = set(literals(codes))
        of_its_kind = {code for code, error in ANSWERS.items() if error.kind == exception.kind}
        assert of_its_kind <= named <= of_its_kind | FAILURES.keys(), exception.__name__
    assert len(exceptions) == 13


def test_what_http_itself_refuses_has_the_status_of_its_code() -> None:
    for status, (code, _detail) in HTTP_CODES.items():
        assert STATUS_OF[ANSWERS[code].kind] == status


def test_examples_in_the_documents_have_codes_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {code for page in pages for code in re.findall(r'"code": "(\w+)"', page.read_text())}
    assert named
    assert named <= ANSWERS.keys() | FAILURES.keys()
