"""Whatever is wrong with a request is told as a problem with a code, and never by a 500."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from structlog.testing import capture_logs

from infra.settings import Settings
from tests.support.apps import open_app

JSON = {"content-type": "application/json"}
NETWORK = b'{"name": "n", "layers": [{}]}'


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: nothing here gets as far as a database."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


def assert_problem(response: Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"{", 400, "malformed_json"),
        (NETWORK + b"x", 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"name": ' + b"9" * 10_000 + b"}", 400, "malformed_json"),
        (b"null", 422, "invalid_request"),
        (b"NaN", 422, "invalid_request"),
        (b'{"name": "\\ud800", "layers": [{}]}', 422, "invalid_request"),
        (b'{"name": "a\\u0000b", "layers": [{}]}', 422, "invalid_request"),
        (b'{"\\ud800": 1, "name": "n", "layers": [{}]}', 422, "invalid_request"),
        (b'{"name": "n", "layers": ' + b"[" * 900 + b"]" * 900 + b"}", 422, "invalid_request"),
        (b'{"name": "n", "layers": [{"units": ' + b"9" * 400 + b"}, {}]}", 422, "invalid_request"),
        (b'{"name": "n", "layers": [{"units": 1e999}, {}]}', 422, "invalid_request"),
    ],
)
def test_bodies_that_are_no_network(api: TestClient, body: bytes, status: int, code: str) -> None:
    assert_problem(api.post("/v1/networks", content=body, headers=JSON), status, code)
    assert api.get("/v1/networks").json()["data"] == []


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_json_must_be_sent_as_json(api: TestClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert_problem(api.post("/v1/networks", content=NETWORK, headers=headers), 415, "json_required")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
def test_json_may_be_called_so_in_several_ways(api: TestClient, content_type: str) -> None:
    assert api.post("/v1/networks", content=NETWORK, headers={"content-type": content_type}).status_code == 201


def test_addresses_and_methods_that_do_not_exist(api: TestClient) -> None:
    assert_problem(api.get("/v9/jobs"), 404, "no_such_route")
    assert_problem(api.get("/v1/jobs/a/b/c"), 404, "no_such_route")
    for path, allowed in (
        ("/v1/networks", "GET, HEAD, POST"),
        ("/v1/datasets/ds_1", "DELETE, GET, HEAD, PATCH"),
        ("/v1/jobs/job_1/cancel", "POST"),
        ("/healthz", "GET, HEAD"),
    ):
        response = api.put(path)
        assert_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == allowed


@pytest.mark.parametrize("resource", ["dataset", "network", "job", "model"])
def test_ids_of_nothing(api: TestClient, resource: str) -> None:
    assert_problem(api.get(f"/v1/{resource}s/{resource[:2]}_unknown"), 404, f"{resource}_not_found")
    for odd in ("%00", "a%0a", "%ff", "a" * 65, "%20", "ä"):
        assert_problem(api.get(f"/v1/{resource}s/{odd}"), 422, "invalid_request")


def test_below_ids_of_nothing(api: TestClient) -> None:
    for path, code in (
        ("/v1/datasets/x/preview", "dataset_not_found"),
        ("/v1/jobs/x/costs", "job_not_found"),
        ("/v1/models/x/weights", "model_not_found"),
    ):
        assert_problem(api.get(path), 404, code)
    assert_problem(api.post("/v1/jobs/x/cancel"), 404, "job_not_found")
    assert_problem(api.post("/v1/models/x/predict", json={"rows": [[1]]}), 404, "model_not_found")


@pytest.mark.parametrize("resource", ["datasets", "networks", "jobs", "models"])
@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=" + "9" * 30, "after=%00", "after=a+b"])
def test_parameters_of_lists(api: TestClient, resource: str, query: str) -> None:
    response = api.get(f"/v1/{resource}?{query}")
    assert_problem(response, 422, "invalid_request")
    assert [error["path"] for error in response.json()["errors"]] == [query.partition("=")[0]]


def test_a_place_in_the_body_is_a_json_pointer_and_only_what_is_wrong_is_named(api: TestClient) -> None:
    body = {"name": "n", "layers": [{"units": 3}, {"activation": "sine"}], "a/b~c": 1}
    response = api.post("/v1/networks", json=body)
    assert [error["path"] for error in response.json()["errors"]] == ["/layers/1/activation", "/a~1b~0c"]


@pytest.fixture
def small_api(settings: Settings) -> Iterator[TestClient]:
    """An API that takes bodies of at most 1,000 bytes."""
    small = settings.model_copy(update={"max_request_bytes": 1000})
    with TestClient(open_app(small), raise_server_exceptions=False) as client:
        yield client


def test_a_body_that_declares_too_great_a_length(small_api: TestClient) -> None:
    response = small_api.post("/v1/networks", content=NETWORK + b" " * 1000, headers=JSON)
    assert_problem(response, 413, "request_too_large")
    assert small_api.post("/v1/networks", content=NETWORK + b" " * 900, headers=JSON).status_code == 201


def test_a_body_that_turns_out_too_long_is_not_read_to_its_end(small_api: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10**6:
            sent += 100
            yield b" " * 100

    assert_problem(small_api.post("/v1/networks", content=endless(), headers=JSON), 413, "request_too_large")


def test_a_fault_of_our_own_says_nothing_of_what_is_inside(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.v1.networks.networks.list_page", broken)
    with capture_logs() as logged:
        response = api.get("/v1/networks")
    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.text
    assert [(entry["path"], str(entry["exc_info"])) for entry in logged] == [("/v1/networks", "secret")]


def test_the_interactive_documentation_loads_nothing_from_elsewhere(api: TestClient) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    addresses = [part.split('"')[0] for part in page.text.replace("'", '"').split('="')[1:]]
    loaded = [address for address in addresses if address.endswith((".js", ".css", ".png"))]
    assert len(loaded) >= 2
    for address in loaded:
        assert api.get(address).status_code == 200


def test_pages_that_describe_the_interface_say_what_they_take(api: TestClient) -> None:
    response = api.post("/docs")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
