from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from tests.support.apps import open_app

NO_REDIS = {"redis_url": "unix:///nonexistent/redis.sock"}
NO_SQLITE = {"database_url": "sqlite:////nonexistent/backprop.db"}
NO_POSTGRESQL = {"database_url": "postgresql+psycopg://backprop@/x?host=/nonexistent"}


@contextmanager
def api_with(settings: Settings, change: Mapping[str, str]) -> Iterator[TestClient]:
    with TestClient(open_app(settings.model_copy(update=dict(change))), raise_server_exceptions=False) as client:
        yield client


def test_a_service_with_everything_is_alive_and_ready(api: TestClient) -> None:
    for path in ("/healthz", "/readyz"):
        response = api.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (NO_REDIS, "redis_unavailable"),
        (NO_SQLITE, "database_unavailable"),
        (NO_POSTGRESQL, "database_unavailable"),
        (NO_REDIS | NO_SQLITE, "database_unavailable"),
    ],
)
def test_it_is_alive_without_what_it_needs_and_says_what_is_missing(
    settings: Settings, missing: Mapping[str, str], code: str
) -> None:
    with api_with(settings, missing) as api:
        assert api.get("/healthz").status_code == 200
        response = api.get("/readyz")
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (503, code)
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("missing", [NO_SQLITE, NO_POSTGRESQL])
def test_without_a_database_every_request_is_asked_to_come_back(settings: Settings, missing: Mapping[str, str]) -> None:
    job = {"dataset_id": "ds_1", "targets": ["y"], "network": {"layers": [{}]}}
    with api_with(settings, missing) as api:
        responses = [
            api.post("/v1/datasets", files={"file": ("t.csv", b"a,b\n1,2\n3,4\n")}),
            api.post("/v1/networks", json={"name": "n", "layers": [{}]}),
            api.post("/v1/jobs", json=job),
            api.post("/v1/models/mdl_1/predict", json={"rows": [[1]]}),
            *(api.get(f"/v1/{resource}") for resource in ("datasets", "networks", "jobs", "models")),
            *(api.get(f"/v1/{resource}/x") for resource in ("datasets", "networks", "jobs", "models")),
        ]
    for response in responses:
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        assert int(response.headers["retry-after"]) > 0
    assert [path for path in settings.data_dir.rglob("*") if path.is_file()] == []
