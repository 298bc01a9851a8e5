from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rq.job import Job as Delivery
from sqlalchemy import func, select

from infra.database import Database
from infra.queue import TASKS, JobQueue, connect
from infra.settings import Settings
from infra.tables import CostRow, Job
from tests.support.apps import open_app
from tests.support.service import Service
from worker.reconciler import deliver

CSV = "a,b,label\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(30))


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    """The queue that the API puts ids into."""
    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    yield queue
    queue.connection.close()


@pytest.fixture
def body(service: Service) -> dict[str, Any]:
    """A job that can be submitted."""
    return {
        "dataset_id": service.upload_csv(CSV)["id"],
        "targets": ["label"],
        "network": {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "sigmoid"}]},
        "training": {"preset": "tutorial", "iterations": 100, "learning_rate": 0.5, "init": "uniform"},
    }


def test_a_submitted_job_is_recorded_and_delivered(
    service: Service, queue: JobQueue, database: Database, body: dict[str, Any]
) -> None:
    response = service.api.post("/v1/jobs", json=body)
    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert int(response.headers["retry-after"]) > 0
    assert (job["status"], job["iteration"], job["cost"], job["model_id"]) == ("queued", None, None, None)
    assert (job["sizes"], job["task"]) == ([1, 3, 1], "classification")  # a counts the rows
    assert service.api.get(response.headers["location"]).json() == job
    with database.reading() as session:
        assert session.get_one(Job, job["id"]).status == "queued"
    assert queue.waiting() == {job["id"]}
    delivery = Delivery.fetch(queue.rq.get_job_ids()[0], queue.connection, serializer=queue.rq.serializer)
    assert (delivery.func_name, delivery.args, delivery.timeout) == (TASKS["job"], [job["id"]], -1)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"dataset_id": "ds_unknown"}, 404, "dataset_not_found"),
        ({"network": None, "network_id": "net_unknown"}, 404, "network_not_found"),
        ({"targets": ["c"]}, 422, "unknown_column"),
        ({"targets": ["label", "label"]}, 422, "duplicate_column"),
        ({"targets": None}, 422, "targets_required"),
        ({"network": {"layers": [{"units": 10**9}, {}]}}, 413, "too_many_parameters"),
        ({"network": {"layers": [{"units": 0}, {}]}}, 422, "invalid_request"),
        ({"network": {"layers": [{"activation": "sine"}]}}, 422, "invalid_request"),
        ({"network_id": "net_1"}, 422, "invalid_request"),
        ({"training": {"learning_rate": "fast"}}, 422, "invalid_request"),
        ({"training": {"iterations": -1}}, 422, "invalid_request"),
        ({"training": {"iteration": 1}}, 422, "invalid_request"),
        ({"holdout": 1}, 422, "invalid_request"),
        ({"epochs": 3}, 422, "invalid_request"),
    ],
)
def test_nothing_of_a_refused_job_is_recorded_or_delivered(
    service: Service,
    queue: JobQueue,
    database: Database,
    body: dict[str, Any],
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    response = service.api.post("/v1/jobs", json=body | change)
    assert (response.status_code, response.json()["code"]) == (status, code)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0
    assert queue.rq.get_job_ids() == []


@pytest.fixture
def api_without_redis(settings: Settings) -> Iterator[TestClient]:
    lonely = settings.model_copy(update={"redis_url": "unix:///nonexistent/redis.sock"})
    with TestClient(open_app(lonely), raise_server_exceptions=False) as client:
        yield client


def test_a_job_is_accepted_while_redis_is_away_and_delivered_when_it_is_back(
    api_without_redis: TestClient, queue: JobQueue, database: Database, body: dict[str, Any], settings: Settings
) -> None:
    response = api_without_redis.post("/v1/jobs", json=body)
    assert response.status_code == 202
    assert response.json()["status"] == "queued"
    assert queue.waiting() == set()
    deliver(database, queue)
    assert queue.waiting() == {response.json()["id"]}


def test_polling_an_unchanged_job_brings_no_body(service: Service, body: dict[str, Any]) -> None:
    address = f"/v1/jobs/{service.submit(body)['id']}"
    first = service.api.get(address)
    etag = first.headers["etag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = service.api.get(address, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert service.api.get(address, headers={"if-none-match": '"other"'}).json() == first.json()
    service.api.post(f"{address}/cancel")
    changed = service.api.get(address, headers={"if-none-match": etag})
    assert (changed.status_code, changed.json()["status"]) == (200, "cancelled")
    assert changed.headers["etag"] != etag


def test_jobs_are_listed_newest_first_in_pages_and_by_status(service: Service, body: dict[str, Any]) -> None:
    ids = [service.submit(body)["id"] for _ in range(3)]
    service.api.post(f"/v1/jobs/{ids[1]}/cancel")

    def listed(**parameters: Any) -> tuple[list[str], bool]:  # noqa: ANN401
        page = service.api.get("/v1/jobs", params=parameters).json()
        return [job["id"] for job in page["data"]], page["has_more"]

    assert listed() == (ids[::-1], False)
    assert listed(limit=2) == ([ids[2], ids[1]], True)
    assert listed(limit=2, after=ids[1]) == ([ids[0]], False)
    assert listed(status="cancelled") == ([ids[1]], False)
    assert listed(status="queued", limit=1) == ([ids[2]], True)
    assert listed(status="running") == ([], False)
    assert service.api.get("/v1/jobs", params={"status": "done"}).status_code == 422


def test_a_queued_job_is_cancelled_at_once_and_an_ended_one_not_at_all(service: Service, body: dict[str, Any]) -> None:
    address = f"/v1/jobs/{service.submit(body)['id']}/cancel"
    cancelled = service.api.post(address).json()
    assert (cancelled["status"], cancelled["cancel_requested"]) == ("cancelled", True)
    assert cancelled["finished_at"] is not None
    assert service.api.post(address).json() == cancelled
    done = service.train(body)
    refusal = service.api.post(f"/v1/jobs/{done['id']}/cancel")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "job_already_ended")


def test_the_history_tells_every_step(service: Service, body: dict[str, Any]) -> None:
    job = service.train(body)
    address = f"/v1/jobs/{job['id']}/history"
    page = service.api.get(address).json()
    assert page["has_more"] is False
    steps = [(each["sequence"], each["kind"], each["from"], each["to"], each["attempt"]) for each in page["data"]]
    assert steps == [
        (1, "submitted", None, "queued", 0),
        (2, "started", "queued", "running", 1),
        (3, "succeeded", "running", "succeeded", 1),
    ]
    assert datetime.fromisoformat(page["data"][2]["at"]) == datetime.fromisoformat(job["finished_at"])
    assert service.api.get(address, params={"after": 1, "limit": 1}).json() == {
        "data": page["data"][1:2],
        "has_more": True,
    }
    assert service.api.get("/v1/jobs/job_unknown/history").json()["code"] == "job_not_found"


def test_the_history_of_a_failed_job_names_the_code(service: Service, body: dict[str, Any]) -> None:
    linear = {"layers": [{"units": 3, "activation": "linear"}, {"activation": "linear"}]}
    job = service.train(
        body | {"network": linear, "training": {"preset": "tutorial", "iterations": 400, "learning_rate": 1e6}}
    )
    history = service.api.get(f"/v1/jobs/{job['id']}/history").json()["data"]
    assert (history[-1]["kind"], history[-1]["reason"]) == ("failed", job["error"]["code"])


def test_a_stored_network_can_be_named(service: Service, body: dict[str, Any]) -> None:
    network = {"name": "small", **body["network"]}
    stored = service.api.post("/v1/networks", json=network)
    assert stored.status_code == 201
    assert service.api.get(stored.headers["location"]).json() == stored.json()
    inline, named = (
        service.submit(body | change) for change in ({}, {"network": None, "network_id": stored.json()["id"]})
    )
    assert named["network_id"] == stored.json()["id"]
    assert named["network"] == inline["network"]


def test_costs_come_in_pages_without_a_gap(service: Service, database: Database, body: dict[str, Any]) -> None:
    job = service.train(body)
    assert job["status"] == "succeeded", job["error"]
    with database.reading() as session:
        stored = session.execute(
            select(CostRow.iteration, CostRow.cost).where(CostRow.job_id == job["id"]).order_by(CostRow.iteration)
        ).all()
    assert [tuple(row) for row in stored] == [(row["iteration"], row["cost"]) for row in service.costs(job["id"])]
    assert [iteration for iteration, _ in stored] == list(range(101))
    address = f"/v1/jobs/{job['id']}/costs"
    page = service.api.get(address, params={"after": 10, "limit": 5}).json()
    assert ([row["iteration"] for row in page["data"]], page["has_more"]) == ([11, 12, 13, 14, 15], True)
    assert service.api.get(address, params={"after": 95, "limit": 5}).json()["has_more"] is False
    assert service.api.get(address, params={"after": 100}).json() == {"data": [], "has_more": False}
    for row in page["data"]:
        assert row["cost"] == pytest.approx(row["data_cost"] + row["decay_cost"])


@pytest.mark.parametrize("points", [4, 7, 50, 101, 1000])
def test_a_thinned_curve_keeps_its_ends_and_extremes(service: Service, body: dict[str, Any], points: int) -> None:
    job = service.train(body)
    everything = service.costs(job["id"])
    thinned = service.api.get(f"/v1/jobs/{job['id']}/costs", params={"points": points}).json()["data"]
    assert len(thinned) <= points
    assert all(row in everything for row in thinned)
    assert [row["iteration"] for row in thinned] == sorted({row["iteration"] for row in thinned})
    assert (thinned[0], thinned[-1]) == (everything[0], everything[-1])
    for extreme in (min, max):
        assert extreme(row["cost"] for row in thinned) == extreme(row["cost"] for row in everything)


@pytest.mark.parametrize("query", ["after=-2", "after=x", "limit=0", "limit=10001", "points=3", "points=10001"])
def test_parameters_of_costs(service: Service, body: dict[str, Any], query: str) -> None:
    response = service.api.get(f"/v1/jobs/{service.submit(body)['id']}/costs?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_job_that_diverges_says_where_and_what_to_try(service: Service, body: dict[str, Any]) -> None:
    linear = {"layers": [{"units": 3, "activation": "linear"}, {"activation": "linear"}]}
    job = service.train(
        body | {"network": linear, "training": {"preset": "tutorial", "iterations": 400, "learning_rate": 1e6}}
    )
    assert (job["status"], job["error"]["code"], job["model_id"]) == ("failed", "diverged", None)
    assert f"iteration {job['iteration'] + 1}" in job["error"]["message"]
    assert "learning_rate" in job["error"]["message"]
    assert len(service.costs(job["id"])) == job["iteration"] + 1


def test_a_dry_run_gives_the_plan_and_stores_nothing(
    service: Service, queue: JobQueue, database: Database, body: dict[str, Any]
) -> None:
    first = service.api.post("/v1/jobs", params={"dry_run": True}, json=body)
    assert first.status_code == 200
    plan = first.json()
    job = service.train(body)
    for field in ("network", "sizes", "task", "inputs", "targets", "scaling", "missing", "left_out", "training"):
        assert plan[field] == job[field]
    sizes = plan["sizes"]
    assert plan["parameters"] == (sizes[0] + 1) * 3 + (3 + 1) * 1
    assert plan["rows"] == 30
    assert plan["estimated_bytes"] > 0
    assert 0 < plan["estimated_seconds"] < 10
    service.api.post("/v1/jobs", params={"dry_run": True}, json=body)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1
    assert queue.waiting() <= {job["id"]}


def test_a_dry_run_says_what_is_wrong(service: Service, body: dict[str, Any]) -> None:
    refused = service.api.post("/v1/jobs", params={"dry_run": True}, json={**body, "targets": ["nothing"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_column")
