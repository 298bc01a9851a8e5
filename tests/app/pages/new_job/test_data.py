"""The first step of a new job: a file comes through a form, or a dataset is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.access.projects import DEFAULT_PROJECT
from infra.database import Database
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.keys import bearing, make_key
from tests.support.pages import problem_at, sign_in, value_of
from tests.support.service import Service

CSV = b"age;answer\n1,5;yes\n2,5;no\n3;yes\n"


def sent(api: TestClient, content: bytes = CSV, filename: str = "people.csv", **fields: str) -> Any:  # noqa: ANN401
    return api.post("/jobs/new/upload", data=fields, files={"file": (filename, content)}, follow_redirects=False)


def newest(api: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/v1/datasets").json()["data"][0]
    return found


def test_a_file_of_a_form_becomes_the_dataset_that_the_api_makes_of_it(service: Service) -> None:
    answer = sent(service.api, tags="first,second", missing_values="3")
    dataset = newest(service.api)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/new?dataset={dataset['id']}")
    form = {"tags": "first,second", "missing_values": "3"}
    other = service.api.post("/v1/datasets", data=form, files={"file": ("people.csv", CSV)}).json()
    mine = service.api.get(f"/v1/datasets/{dataset['id']}").json()
    assert {**mine, "id": 0, "created_at": 0} == {**other, "id": 0, "created_at": 0}


def test_the_newest_datasets_can_be_chosen(service: Service) -> None:
    dataset = service.upload_csv("a,b\n1,2\n", name="<script>alert(1)</script>.csv")
    page = service.api.get("/jobs/new").text
    assert f'href="/jobs/new?dataset={dataset["id"]}"' in page
    assert "<script>alert" not in page
    assert "All datasets" not in page


def test_a_file_that_is_no_table_is_told_beside_it_and_what_was_typed_stays(service: Service) -> None:
    answer = sent(service.api, b"not Parquet", "table.parquet", name="My people")
    assert answer.status_code == 422
    assert "Parquet" in problem_at(answer.text, "file")
    assert value_of(answer.text, "name") == "My people"
    assert service.api.get("/v1/datasets").json()["data"] == []


def test_a_field_that_cannot_be_so_is_told_at_the_field(service: Service) -> None:
    answer = sent(service.api, encoding="klingon")
    assert answer.status_code == 422
    assert "klingon" in problem_at(answer.text, "encoding")
    assert problem_at(answer.text, "file") == ""


@pytest.fixture
def narrow_api(settings: Settings) -> Iterator[TestClient]:
    """A service that takes small files only."""
    with TestClient(open_app(settings.model_copy(update={"max_upload_bytes": 1000}))) as client:
        yield client


def test_a_file_that_is_too_large_is_told_beside_it(narrow_api: TestClient) -> None:
    answer = sent(narrow_api, b"a\n" + b"1\n" * 1000)
    assert answer.status_code == 413
    assert "too large" in problem_at(answer.text, "file")


def test_a_form_that_is_none_is_told_too(service: Service) -> None:
    answer = service.api.post("/jobs/new/upload", data={"name": "x"}, follow_redirects=False)
    assert answer.status_code == 422
    assert "multipart" in problem_at(answer.text, "file")


def test_whoever_is_signed_in_brings_the_token_before_the_file(service: Service) -> None:
    token = sign_in(service.api, make_key(service.database, DEFAULT_PROJECT))
    file, first = ("file", ("people.csv", CSV)), ("csrf_token", (None, token.encode()))
    assert service.api.post("/jobs/new/upload", files=[first, file], follow_redirects=False).status_code == 303
    assert newest(service.api)["name"] == "people.csv"
    for refused in ([file], [file, first], [("csrf_token", (None, b"other")), file]):
        assert service.api.post("/jobs/new/upload", files=refused, follow_redirects=False).status_code == 403
    assert len(service.api.get("/v1/datasets").json()["data"]) == 1


def test_a_key_that_may_only_read_brings_nothing(service: Service, database: Database) -> None:
    reading = bearing(make_key(database, DEFAULT_PROJECT, ["read"]))
    assert service.api.get("/jobs/new", headers=reading).status_code == 403
    answer = service.api.post("/jobs/new/upload", files={"file": ("t.csv", CSV)}, headers=reading)
    assert answer.status_code == 403


def test_other_projects_datasets_are_not_shown(service: Service, database: Database) -> None:
    service.upload_csv("a,b\n1,2\n", name="ours.csv")
    theirs = bearing(make_key(database, "theirs"))
    assert "ours.csv" not in service.api.get("/jobs/new", headers=theirs).text
