from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from tests.support.service import Service


@pytest.mark.parametrize(
    "path", ["/healthz", "/docs", "/openapi.json", "/v1/jobs", "/v1/jobs/x", "/v1/jobs/%00", "/no"]
)
def test_every_answer_tells_browsers_to_be_careful(api: TestClient, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_so_does_a_fault_of_our_own(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.v1.networks.networks.list_page", None)
    with capture_logs():
        response = api.get("/v1/networks")
    assert response.status_code == 500
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


def test_the_documentation_may_load_what_it_needs_and_nothing_from_elsewhere(api: TestClient) -> None:
    policy = dict(part.strip().split(" ", 1) for part in api.get("/docs").headers["content-security-policy"].split(";"))
    assert policy["connect-src"] == "'self'"  # it asks for /openapi.json, and sends what its user tries
    for kind in ("script-src", "style-src"):
        assert policy[kind].split() == ["'self'", "'unsafe-inline'"]
    assert policy["img-src"].split() == ["'self'", "data:"]
    assert not any("http" in source or "*" in source for source in policy.values())


def test_nobody_keeps_what_the_api_answers(service: Service) -> None:
    assert service.api.get("/v1/networks").headers["cache-control"] == "no-store"
    assert service.api.get("/v1/networks/x").headers["cache-control"] == "no-store"
    assert service.api.get("/of/no/version").headers["cache-control"] == "no-store"
    for open_to_all in ("/healthz", "/v2/health/ready"):
        assert "cache-control" not in service.api.get(open_to_all).headers
    dataset = service.upload_csv("a,b\n1,2\n3,4\n")
    job = service.submit(
        {"dataset_id": dataset["id"], "targets": ["b"], "task": "regression", "network": {"layers": [{}]}}
    )
    polled = service.api.get(f"/v1/jobs/{job['id']}")
    assert polled.headers["cache-control"] == "private, no-cache"  # so that a browser asks with If-None-Match
    again = service.api.get(f"/v1/jobs/{job['id']}", headers={"If-None-Match": polled.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")


def test_forms_of_pages_bring_their_origin(api: TestClient) -> None:
    """A browser names it as ``null`` where the page forbids referrers, and without a key nobody would be let in."""
    assert api.get("/").headers["referrer-policy"] == "same-origin"
    assert api.get("/v1/jobs").headers["referrer-policy"] == "no-referrer"
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert api.post("/registry", data={"name": "n"}, headers=own, follow_redirects=False).status_code == 303
