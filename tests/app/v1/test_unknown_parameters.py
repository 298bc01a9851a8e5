from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/jobs?stauts=failed", "stauts"),
        ("/v1/jobs?limit=3&Limit=4", "Limit"),
        ("/v1/datasets/ds_1?preview=1", "preview"),
        ("/v1/models/mdl_1/features?colour=red", "colour"),
        ("/v1/jobs/job_1/costs?point=5", "point"),
        ("/v1/jobs?=3", "(no name)"),
        ("/v1/jobs?limit=abc&limit=2", "limit"),
        ("/v1/jobs?status=queued&status=failed", "status"),
    ],
)
def test_a_parameter_that_the_address_does_not_have_is_named(api: TestClient, path: str, name: str) -> None:
    answer = api.get(path).json()
    assert (answer["status"], answer["code"]) == (422, "invalid_request")
    assert [error["path"] for error in answer["errors"]] == [name]


def test_the_message_tells_those_it_has(api: TestClient) -> None:
    assert "only after, limit, name, q, status, tag" in api.get("/v1/jobs?stauts=failed").json()["detail"]
    assert "has none" in api.get("/v1/datasets/ds_1?a=b").json()["detail"]


def test_known_ones_and_monitors_pass(api: TestClient) -> None:
    assert api.get("/v1/jobs?status=failed&limit=3").status_code == 200
    assert api.get("/healthz?once=42").status_code == 200
    assert api.post("/v1/jobs?x=1", json={}).json()["errors"][0]["path"] == "x"
