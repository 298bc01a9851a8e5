from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from app.access.dependencies import scope_code
from app.errors import HTTP_CODES, INVALID_REQUEST, STATUS_OF
from infra import errors
from infra.keys import SCOPES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text()

ANSWERS, _, FAILURES = PAGE.partition("## Jobs that failed")

STATUS_OF_NAME = {kind.__name__: int(status) for kind, status in STATUS_OF.items()}
STATUS_OF_HELPER = {"refuse_cell": 422, "refuse_file": 422}
"""Functions of the readers that make an InvalidRequest of a code."""


def calls(folder: str) -> Iterator[ast.Call]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def first_argument(call: ast.Call) -> str | None:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        return call.args[0].value
    return None


def codes_of_answers() -> set[tuple[str, int]]:
    """Every code that the API can answer with, with its status."""
    found = {(code, int(status)) for status, (code, _) in HTTP_CODES.items()}
    found.add((INVALID_REQUEST, STATUS_OF_NAME["InvalidRequest"]))
    found |= {(scope_code(scope), STATUS_OF_NAME["Forbidden"]) for scope in SCOPES}
    for folder in ("app", "infra"):
        for call in calls(folder):
            code = first_argument(call)
            status = (STATUS_OF_NAME | STATUS_OF_HELPER).get(name_of(call))
            if status is not None and code is not None:
                found.add((code, status))
            elif name_of(call) == "add" and code is not None:  # the gathered problems of a job
                found.add((code, STATUS_OF_NAME["InvalidRequest"]))
    return found


def codes_of_failures() -> set[str]:
    """Every code that a failed job can have. No job fails for something that is unavailable: it waits."""
    found: set[str] = set()
    failures = STATUS_OF_NAME.keys() - {"Unavailable"}
    for folder in ("worker", "infra"):
        for call in calls(folder):
            code = first_argument(call)
            if code is not None and (name_of(call) == "_fail" or (folder == "worker" and name_of(call) in failures)):
                found.add(code)
            found |= {
                str(keyword.value.value)
                for keyword in call.keywords
                if keyword.arg == "error_code" and isinstance(keyword.value, ast.Constant)
            }
    return found


def test_every_code_of_an_answer_is_documented_with_its_status_and_no_other_is() -> None:
    documented = {(code, int(status)) for code, status in re.findall(r"^\| `(\w+)` \| (\d+) \|", ANSWERS, re.MULTILINE)}
    assert documented == codes_of_answers()


def test_every_code_of_a_failed_job_is_documented_and_no_other_is() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", FAILURES, re.MULTILINE)) == codes_of_failures()


def test_no_code_is_documented_twice() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", ANSWERS, re.MULTILINE)
    assert len(documented) == len(set(documented))


def test_every_kind_of_error_has_a_status() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ServiceError)}
    assert kinds - {errors.ServiceError} == set(STATUS_OF)


def test_examples_in_the_documents_have_codes_that_exist() -> None:
    known = {code for code, _ in codes_of_answers()} | codes_of_failures()
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {code for page in pages for code in re.findall(r'"code": "(\w+)"', page.read_text())}
    assert named
    assert named <= known
