"""Names, tags and notes over HTTP: given with what is new, changed, inherited, filtered by, refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from domain.jobs import attempts
from infra.database import Database
from tests.support.jobs import LEASE
from tests.support.service import Service

CSV = "a,b,label\n1,2,yes\n2,1,no\n3,5,yes\n4,4,no\n"
LAYERS = [{"units": 2}, {}]
TRAINING = {"preset": "tutorial", "iterations": 2}

SAID: dict[str, Any] = {"name": "Überblick 1", "tags": ["b", "a", "b"], "note": "Zeile 1\nZeile 2\t!"}
SHOWN: dict[str, Any] = SAID | {"tags": ["a", "b"]}


def caption(thing: dict[str, Any]) -> dict[str, Any]:
    return {name: thing[name] for name in SAID}


def job_body(dataset_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"dataset_id": dataset_id, "targets": ["label"], "network": {"layers": LAYERS}, "training": TRAINING} | more


def listed(api: TestClient, kind: str, **query: Any) -> list[str]:  # noqa: ANN401
    response = api.get(f"/v1/{kind}", params=query)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()["data"]]


def test_what_is_said_goes_from_the_upload_to_the_model(service: Service) -> None:
    api = service.api
    form = {"name": SAID["name"], "tags": " b,a ,b", "note": SAID["note"]}
    dataset = api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, data=form).json()
    assert caption(dataset) == caption(api.get("/v1/datasets").json()["data"][0]) == SHOWN
    as_json = api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, data={"tags": '["x", "y"]'}).json()
    assert caption(as_json) == {"name": "t.csv", "tags": ["x", "y"], "note": None}
    mac = api.post("/v1/datasets", files={"file": ("U\u0308ber.csv", CSV.encode())}).json()
    assert listed(api, "datasets", name="Über.csv") == listed(api, "datasets", name=mac["name"]) == [mac["id"]]

    job = service.submit(job_body(dataset["id"], **SAID))
    assert caption(job) == caption(api.get("/v1/jobs").json()["data"][0]) == SHOWN
    silent = service.submit(job_body(dataset["id"]))
    assert caption(silent) == {"name": None, "tags": [], "note": None}
    # What is said while it trains counts too: the model comes at the end.
    api.patch(f"/v1/jobs/{job['id']}", json={"name": "renamed", "tags": ["late"]})
    model_id = service.attempt(job["id"])["model_id"]
    model = api.get(f"/v1/models/{model_id}").json()
    assert caption(model) == {"name": "renamed", "tags": ["late"], "note": None}
    api.patch(f"/v1/jobs/{job['id']}", json={"name": None, "tags": None})
    assert caption(api.get(f"/v1/models/{model_id}").json()) == caption(model)

    assert listed(api, "models", tag="late") == listed(api, "models", q="ÜBERBLICK") == [model_id]
    assert listed(api, "jobs", q="überblick") == [silent["id"], job["id"]]
    assert listed(api, "jobs", q="zeile 2", status="succeeded") == [job["id"]]
    assert listed(api, "datasets", name="t.csv") == listed(api, "datasets", tag=["x", "y"]) == [as_json["id"]]
    assert listed(api, "datasets", tag=["x", "a"]) == []
    assert listed(api, "jobs", q=silent["id"][-8:].lower()) == [silent["id"]]

    dataset = api.patch(f"/v1/datasets/{dataset['id']}", json={"name": None, "note": None}).json()
    assert caption(dataset) == {"name": "t.csv", "tags": ["a", "b"], "note": None}
    assert listed(api, "models", q="überblick") == []


def test_a_patch_changes_what_it_names_and_repeating_it_changes_nothing(service: Service) -> None:
    dataset_id = service.upload_csv(CSV)["id"]
    job = service.submit(job_body(dataset_id, **SAID))
    url = f"/v1/jobs/{job['id']}"
    for _ in range(2):
        assert caption(service.api.patch(url, json={"note": "new"}).json()) == SHOWN | {"note": "new"}
    assert service.api.patch(url, json={}).json() == service.api.get(url).json()
    assert caption(service.api.patch(url, json=dict.fromkeys(SAID)).json()) == {"name": None, "tags": [], "note": None}


def test_patches_of_different_fields_at_the_same_time_all_count(service: Service) -> None:
    dataset_id = service.upload_csv(CSV)["id"]
    url = f"/v1/datasets/{dataset_id}"
    patches = [{"name": "n"}, {"note": "words"}, {"tags": ["t", "u"]}] * 4
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda patch: service.api.patch(url, json=patch), patches))
    assert {answer.status_code for answer in answers} == {200}
    assert caption(service.api.get(url).json()) == {"name": "n", "tags": ["t", "u"], "note": "words"}
    for query in ({"q": "WORDS"}, {"tag": ["u", "t"]}, {"name": "n"}):
        assert listed(service.api, "datasets", **query) == [dataset_id]


def test_a_running_job_is_renamed_and_goes_on(service: Service, database: Database) -> None:
    job_id = service.submit(job_body(service.upload_csv(CSV)["id"]))["id"]
    with database.writing() as session:
        claim = attempts.claim(session, job_id, LEASE)
        assert claim is not None
    assert service.api.patch(f"/v1/jobs/{job_id}", json={"name": "meanwhile"}).json()["status"] == "running"
    with database.writing() as session:
        attempts.release(session, claim.owner, "Over.")
    job = service.attempt(job_id)
    assert (job["status"], job["name"]) == ("succeeded", "meanwhile")


BAD: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "a\nb"},
    {"name": "x" * 201},
    {"name": 3},
    {"tags": ["a b"]},
    {"tags": ["a,b"]},
    {"tags": ["a\u00a0b"]},
    {"tags": [""]},
    {"tags": ["x" * 65]},
    {"tags": [f"t{number}" for number in range(101)]},
    {"tags": "a"},
    {"note": "a\0b"},
    {"note": "\u001b[31m"},
    {"note": "x" * 10_001},
    {"note": ""},
    {"nam": "x"},
]


def refused(response: Response) -> str:
    assert response.status_code == 422, response.text
    body = response.json()
    assert body["code"] == "invalid_request"
    path: str = body["errors"][0]["path"]
    return path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_said_is_refused_with_its_place(service: Service) -> None:
    dataset_id = service.upload_csv(CSV)["id"]
    before = service.api.get(f"/v1/datasets/{dataset_id}").json()
    for bad in BAD:
        (field,) = bad
        assert refused(service.api.patch(f"/v1/datasets/{dataset_id}", json=bad)).startswith(f"/{field}")
        assert refused(service.api.post("/v1/jobs", json=job_body(dataset_id, **bad))).startswith(f"/{field}")
    assert service.api.get(f"/v1/datasets/{dataset_id}").json() == before
    empty = service.api.patch(f"/v1/datasets/{dataset_id}", json={"note": ""}).json()
    assert empty["detail"] == "/note: must have at least 1 characters, not 0"
    form = {"tags": "a b"}
    assert refused(service.api.post("/v1/datasets", files={"file": ("t.csv", CSV.encode())}, data=form)) == "/tags/0"
    for query in ({"tag": ["a b"]}, {"tag": ["t"] * 21}, {"name": ["a", "b"]}, {"q": ""}, {"tags": ["a"]}):
        assert service.api.get("/v1/jobs", params=query).status_code == 422


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_e_with_an_accent_is_one_however_it_was_typed(service: Service) -> None:
    dataset_id = service.upload_csv(CSV)["id"]
    typed = service.api.patch(f"/v1/datasets/{dataset_id}", json={"name": "caf\u0065\u0301", "tags": ["\u0065\u0301"]})
    assert caption(typed.json()) == {"name": "caf\u00e9", "tags": ["\u00e9"], "note": None}
    for written in ("caf\u00e9", "caf\u0065\u0301", "CAF\u00c9"):
        assert listed(service.api, "datasets", q=written) == [dataset_id]
    assert listed(service.api, "datasets", tag="e\u0301", name="cafe\u0301") == [dataset_id]
