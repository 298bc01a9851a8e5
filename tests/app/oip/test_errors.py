"""Whoever answers below `/v2` refuses in the protocol's form: routes, framework, gate and limits."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.main import create_app
from infra.database import Database
from infra.errors import Unavailable
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.keys import bearing, make_key
from tests.support.service import Service

MODEL_IN_NO_PROJECT = "mdl_" + "0" * 26
INFER = f"/v2/models/{MODEL_IN_NO_PROJECT}/infer"


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what is refused here does not depend on the database."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def locked_api(settings: Settings) -> Iterator[TestClient]:
    """An API that asks everybody for a key, takes little and lets few requests in."""
    strict = settings.model_copy(
        update={"max_request_bytes": 10_000, "max_requests_per_second": 20, "max_prediction_rows": 10}
    )
    with TestClient(create_app(strict), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def model(service: Service) -> str:
    """A model of two numbers."""
    dataset = service.upload_csv("a,b,label\n1.5,2,yes\n2,1,no\n3,5,yes\n4,4,no\n")
    job = {
        "dataset_id": dataset["id"],
        "targets": ["label"],
        "network": {"layers": [{"units": 2}, {}]},
        "training": {"preset": "tutorial", "iterations": 2},
    }
    trained: str = service.train(job)["model_id"]
    return trained


def assert_refused(response: Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/json"
    told: dict[str, Any] = response.json()
    assert (response.status_code, told["code"]) == (status, code), told
    assert isinstance(told["error"], str)
    assert told["error"]
    assert told.keys() <= {"error", "code", "errors"}
    assert all(each.keys() == {"path", "message"} for each in told.get("errors", ()))
    return told


def tensor(**fields: object) -> dict[str, Any]:
    return {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]} | fields]}


def test_the_gate_and_the_limits(locked_api: TestClient, database: Database) -> None:
    refused = locked_api.post(INFER, json=tensor())
    assert_refused(refused, 401, "key_required")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert_refused(locked_api.get("/v2/models", headers=bearing("key_x")), 401, "invalid_key")
    assert_refused(
        locked_api.get("/v2", headers=bearing(make_key(database, "p", ["read"]))), 403, "scope_predict_required"
    )
    key = bearing(make_key(database, "p", ["predict"]))
    assert locked_api.get("/v2/", headers=key, follow_redirects=False).status_code == 200
    assert_refused(locked_api.post(INFER, content=b" " * 10_001, headers=key), 413, "request_too_large")
    damaged = key | {"Content-Encoding": "gzip"}
    assert_refused(locked_api.post(INFER, content=gzip.compress(b"{}")[:-1], headers=damaged), 400, "malformed_gzip")
    strange = key | {"Content-Encoding": "br"}
    assert_refused(locked_api.post(INFER, content=b"{}", headers=strange), 415, "unsupported_coding")
    answers = [locked_api.get("/v2/models", headers=key) for _ in range(60)]
    too_many = next(answer for answer in answers if answer.status_code == 429)
    assert_refused(too_many, 429, "too_many_requests")
    assert too_many.headers["retry-after"]


def test_what_is_not_there(api: TestClient) -> None:
    assert_refused(api.get("/v2/nothing"), 404, "no_such_route")
    assert_refused(api.get("/v2/models/m/config"), 404, "no_such_route")
    assert_refused(api.get("/v2/models/unknown"), 404, "registered_model_not_found")
    for name in ("%00", "a%20b", "x" * 300, "ä"):
        assert_refused(api.get(f"/v2/models/{name}/ready"), 404, "model_not_found")
    assert_refused(api.post(INFER, json=tensor()), 404, "model_not_found")
    assert_refused(api.get(f"/v2/models/{MODEL_IN_NO_PROJECT}/versions/2"), 404, "version_not_found")
    assert_refused(api.get(f"/v2/models/{MODEL_IN_NO_PROJECT}/stats"), 404, "model_not_found")
    wrong = api.get(INFER)
    assert_refused(wrong, 405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/csv"}, {"Content-Type": "application/octet-stream"}])
def test_a_body_is_read_whatever_its_type_says(api: TestClient, model: str, headers: dict[str, str]) -> None:
    path = f"/v2/models/{model}/infer?nobody=knows"
    assert api.post(path, content=json.dumps(tensor()), headers=headers).status_code == 200
    assert_refused(api.post(path, content=b"", headers=headers), 400, "malformed_json")
    assert_refused(api.post(path, content=b"[]", headers=headers), 422, "invalid_request")
    told = assert_refused(api.post(path, content=b'{"inputs": [{}]}', headers=headers), 422, "invalid_request")
    assert told["errors"][0]["path"] == "/inputs/0/name"


@pytest.mark.parametrize("length", ["", "-1", "x", "1.5", "٣", "9" * 30, "1000000"])
def test_a_header_that_is_no_length(api: TestClient, model: str, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length.encode()}
    answer = api.post(f"/v2/models/{model}/infer", content=json.dumps(tensor()), headers=headers)  # type: ignore[arg-type]
    assert_refused(answer, 422, "invalid_request")


def test_what_does_not_fit_the_model(api: TestClient, model: str) -> None:
    path = f"/v2/models/{model}/infer"
    for said, code in (
        (tensor(shape=[2, 2]), "invalid_tensor"),
        (tensor(shape=[1, 3], data=[1, 2, 3]), "invalid_tensor"),
        (tensor(shape=[0, 2], data=[]), "invalid_tensor"),
        (tensor(datatype="BYTES", data=["1", "x"]), "invalid_rows"),
        (tensor() | {"outputs": [{"name": "price"}]}, "unknown_output"),
        (tensor() | {"outputs": [{"name": "label"}] * 2}, "invalid_request"),
    ):
        answer = api.post(path, json=said)
        assert_refused(answer, 422, code)


def test_more_rows_than_a_request_may_have(settings: Settings, service: Service, model: str) -> None:
    small = settings.model_copy(update={"max_prediction_rows": 10})
    with TestClient(open_app(small)) as api:
        answer = api.post(f"/v2/models/{model}/infer", json=tensor(shape=[11, 2], data=[1] * 22))
    assert_refused(answer, 413, "too_many_rows")


def test_the_database_is_away(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_database: Database) -> None:
        raise Unavailable("database_unavailable", "The database cannot be reached.")

    monkeypatch.setattr(Database, "ping", away)
    assert api.get("/v2/health/live").json() == {"live": True}
    assert_refused(api.get("/v2/health/ready"), 503, "database_unavailable")


def test_a_fault_of_our_own(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.oip.server.repository.names", broken)
    assert "secret" not in assert_refused(api.get("/v2/models"), 500, "internal_error")["error"]
