"""Deleting jobs and models: what stays, what goes, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from domain.jobs import removal
from domain.retention.pruning import clean_up
from infra.tables import Base, Job, Model, Tagging
from tests.support.service import Service

TRAINING = {"preset": "tutorial", "iterations": 5}


@pytest.fixture
def body(service: Service) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    dataset = service.upload_arrays(x=x, y=x.sum(axis=1))
    layers = [{"units": 2, "activation": "tanh"}, {"activation": "linear"}]
    return {"dataset_id": dataset["id"], "targets": ["y"], "network": {"layers": layers}, "training": TRAINING}


def refused(api: TestClient, url: str, **query: Any) -> tuple[int, str]:  # noqa: ANN401
    response = api.delete(url, params=query)
    return response.status_code, response.json()["code"]


def deleted(api: TestClient, url: str, **query: Any) -> None:  # noqa: ANN401
    assert api.delete(url, params=query).status_code == 204
    assert refused(api, url)[0] == 404


def rows_of(service: Service) -> dict[str, int]:
    """How many rows each table has, of those that have any."""
    with service.database.reading() as session:
        counts = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }
    return {name: count for name, count in counts.items() if count}


def test_a_deleted_job_leaves_its_model_which_can_do_all_it_could(service: Service, body: dict[str, Any]) -> None:
    api = service.api
    job = service.train(body | {"tags": ["t"], "name": "n"})
    model_id, url = job["model_id"], f"/v1/jobs/{job['id']}"
    before = api.get(f"/v1/models/{model_id}").json()
    deleted(api, url)
    for path in ("", "/costs", "/history"):
        assert api.get(url + path).json()["code"] == "job_not_found"
    for verb in ("cancel", "resume"):
        assert api.post(f"{url}/{verb}").json()["code"] == "job_not_found"
    assert api.patch(url, json={"name": "x"}).json()["code"] == "job_not_found"
    for query in ({}, {"tag": "t"}, {"name": "n"}, {"q": "n"}, {"status": "succeeded"}):
        assert api.get("/v1/jobs", params=query).json()["data"] == []
    for _ in range(2):
        assert api.get(f"/v1/models/{model_id}").json() == before
        assert service.predict(model_id, [[1, 2]])
        assert api.post(f"/v1/models/{model_id}/gradient-check").status_code == 200
        assert api.get(f"/v1/models/{model_id}/dependence", params={"column": "x_1"}).status_code == 200
        started = service.train({"dataset_id": body["dataset_id"], "from_model_id": model_id, "training": TRAINING})
        assert started["status"] == "succeeded", started["error"]
        clean_up(service.database, service.artifacts)  # and once more when nothing but what the model needs is left
    with service.database.reading() as session:
        assert session.get_one(Job, job["id"]).removed_at is not None
        assert session.scalar(select(func.count()).select_from(Tagging).where(Tagging.thing_id == job["id"])) == 0
    deleted(api, f"/v1/models/{model_id}")
    clean_up(service.database, service.artifacts)
    with service.database.reading() as session:
        assert session.get(Job, job["id"]) is None


@pytest.mark.parametrize("rows_at_once", [2, 10_000])
def test_nothing_is_left_of_a_job_that_is_deleted_with_its_models(
    service: Service, body: dict[str, Any], rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "ROWS_AT_ONCE", rows_at_once)
    nothing = rows_of(service)
    job = service.train(body | {"training": TRAINING | {"iterations": 100}, "tags": ["t"]})
    service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 120})
    service.attempt(job["id"])
    assert {"costs", "cost_extremes", "job_events", "checkpoint_parts", "models", "taggings"} <= rows_of(service).keys()
    deleted(service.api, f"/v1/jobs/{job['id']}", with_models=True)
    clean_up(service.database, service.artifacts)
    assert rows_of(service) == nothing


def test_what_has_not_ended_is_cancelled_first(service: Service, body: dict[str, Any]) -> None:
    url = f"/v1/jobs/{service.submit(body)['id']}"
    assert refused(service.api, url) == (409, "job_not_ended")
    service.api.post(f"{url}/cancel")
    deleted(service.api, url)


def test_a_model_that_is_needed_stays(service: Service, body: dict[str, Any]) -> None:
    api = service.api
    trained = service.train(body)
    model_id, job_url = trained["model_id"], f"/v1/jobs/{trained['id']}"
    url = f"/v1/models/{model_id}"

    waiting = service.submit({"dataset_id": body["dataset_id"], "from_model_id": model_id, "training": TRAINING})["id"]
    assert refused(api, url) == (409, "model_in_use")
    assert refused(api, job_url, with_models=True) == (409, "model_in_use")
    assert api.get(job_url).status_code == 200
    api.post(f"/v1/jobs/{waiting}/cancel")

    prediction = service.queue_prediction(model_id, body["dataset_id"])["id"]
    assert refused(api, url) == (409, "model_in_use")
    done = service.attempt_prediction(prediction)
    assert done["status"] == "succeeded"
    rows = api.get(f"/v1/predictions/{prediction}/rows").content

    api.post("/v1/registry", json={"name": "r"})
    api.post("/v1/registry/r/versions", json={"model_id": model_id})
    assert refused(api, url) == (409, "model_is_registered")
    assert refused(api, job_url, with_models=True) == (409, "model_is_registered")
    assert api.delete("/v1/registry/r/versions/1").status_code == 204

    assert service.predict(model_id, [[1, 2]])
    deleted(api, url)
    for address in (url, f"{url}/weights", f"{url}/importance"):
        assert api.get(address).json()["code"] == "model_not_found"
    assert api.post(f"{url}/predict", json={"rows": [[1, 2]]}).json()["code"] == "model_not_found"
    # What it has predicted stays, and so do the names of what is gone.
    assert api.get(f"/v1/predictions/{prediction}/rows").content == rows
    assert api.get(job_url).json()["model_id"] == model_id
    assert api.post(f"/v1/jobs/{waiting}/resume").json()["code"] == "model_deleted"
    assert api.delete(f"/v1/predictions/{prediction}").status_code == 204


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_model_that_another_process_deletes_is_soon_gone_here(
    service: Service, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id = service.train(body)["model_id"]
    assert service.predict(model_id, [[1, 2]])
    with service.database.writing() as session:
        session.delete(session.get_one(Model, model_id))
    monkeypatch.setattr("domain.models.cache.BELIEVED_SECONDS", 0.0)
    answer = service.api.post(f"/v1/models/{model_id}/predict", json={"rows": [[1, 2]]})
    assert answer.json()["code"] == "model_not_found"
