"""A job that was accepted ends, with the very bits of an undisturbed run, whatever happens to its worker."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest
import redis

from infra.processes import stop
from infra.settings import Settings
from tests.conftest import start_worker
from tests.support.service import Service
from tests.support.waiting import wait_for

StartWorker = Callable[[], subprocess.Popen[bytes]]

NETWORK = {"layers": [{"units": 20, "activation": "tanh"}, {"activation": "sigmoid"}]}
ITERATIONS = 5_000
TRAINING = {"iterations": ITERATIONS, "learning_rate": 0.5, "weight_decay": 1e-4, "init": "uniform", "seed": 1}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Short intervals, so that little waiting is enough for the faults to be noticed."""
    return settings.model_copy(
        update={
            "lease_seconds": 1.0,
            "reconcile_seconds": 0.3,
            "checkpoint_seconds": 0.3,
            "flush_seconds": 0.1,
        }
    )


@pytest.fixture
def new_worker(settings: Settings) -> Iterator[StartWorker]:
    """Starts worker processes; those still running at the end are stopped."""
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        processes.append(start_worker(settings))
        return processes[-1]

    yield start
    for process in processes:
        stop(process)


def job_body(service: Service) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(2_000, 10)), y=rng.uniform(size=2_000))
    return {"dataset_id": dataset["id"], "targets": ["y"], "network": NETWORK, "training": TRAINING}


def progressed(service: Service, job_id: str, iteration: int) -> Callable[[], dict[str, Any] | None]:
    """Whether the job is training and has come that far, or has ended already."""

    def condition() -> dict[str, Any] | None:
        job: dict[str, Any] = service.api.get(f"/v1/jobs/{job_id}").json()
        reached = job["status"] == "running" and (job["iteration"] or 0) >= iteration
        return job if reached or job["status"] not in ("queued", "running") else None

    return condition


def attempted(service: Service, job_id: str, attempt: int) -> Callable[[], bool]:
    return lambda: service.api.get(f"/v1/jobs/{job_id}").json()["attempt"] == attempt


def ended(service: Service, job_id: str) -> Callable[[], dict[str, Any] | None]:
    def condition() -> dict[str, Any] | None:
        job: dict[str, Any] = service.api.get(f"/v1/jobs/{job_id}").json()
        return job if job["status"] not in ("queued", "running") else None

    return condition


def assert_same_as_undisturbed(service: Service, body: dict[str, Any], job: dict[str, Any]) -> None:
    assert job["status"] == "succeeded", job["error"]
    undisturbed = service.train(body)
    assert service.costs(job["id"]) == service.costs(undisturbed["id"])
    assert [row["iteration"] for row in service.costs(job["id"])] == list(range(ITERATIONS + 1))
    weights = [service.api.get(f"/v1/models/{each['model_id']}/weights").content for each in (job, undisturbed)]
    assert weights[0] == weights[1]


def work_horse(worker: subprocess.Popen[bytes]) -> psutil.Process:
    return wait_for("a work-horse", lambda: next(iter(psutil.Process(worker.pid).children()), None))


def test_costs_can_be_read_while_the_job_trains(service: Service, new_worker: StartWorker) -> None:
    new_worker()
    job = service.submit(job_body(service))
    wait_for("progress", progressed(service, job["id"], 100))
    rows = service.api.get(f"/v1/jobs/{job['id']}/costs").json()["data"]
    assert [row["iteration"] for row in rows] == list(range(len(rows)))
    running = service.api.get(f"/v1/jobs/{job['id']}").json()
    assert running["rate"] > 0
    assert wait_for("the end", ended(service, job["id"]))["status"] == "succeeded"


def test_sigterm_puts_the_job_back_and_another_worker_goes_on(service: Service, new_worker: StartWorker) -> None:
    body = job_body(service)
    worker = new_worker()
    job = service.submit(body)
    before = wait_for("progress", progressed(service, job["id"], 500))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    queued = service.api.get(f"/v1/jobs/{job['id']}").json()
    assert queued["status"] == "queued"
    assert queued["iteration"] >= before["iteration"]
    new_worker()
    done = wait_for("the end", ended(service, job["id"]))
    assert done["attempt"] == 2
    assert_same_as_undisturbed(service, body, done)


@pytest.mark.parametrize("victims", ["work-horse", "worker", "both"])
def test_sigkill_at_any_moment_loses_nothing(service: Service, new_worker: StartWorker, victims: str) -> None:
    seed = random.randrange(10**6)  # noqa: S311
    print(f"killing at moments of seed {seed}")  # noqa: T201  # shown when the test fails
    moments = random.Random(seed)  # noqa: S311
    body = job_body(service)
    workers = [new_worker(), new_worker()]
    job = service.submit(body)
    for _ in range(2):
        wait_for("progress", progressed(service, job["id"], 1))
        time.sleep(moments.uniform(0, 0.4))
        busy = next((worker for worker in workers if psutil.Process(worker.pid).children()), None)
        if busy is None:
            break  # it was done before we came
        horse = psutil.Process(busy.pid).children()[0]
        if victims in ("worker", "both"):
            os.kill(busy.pid, signal.SIGKILL)
            busy.wait()
            workers[workers.index(busy)] = new_worker()
        if victims in ("work-horse", "both") and horse.is_running():
            horse.kill()
        horse.wait(10)
    done = wait_for("the end", ended(service, job["id"]))
    assert_same_as_undisturbed(service, body, done)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": "momentum", "learning_rate": 0.1, "batch_size": 300},
        {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 300, "patience": 10_000},
        {"optimizer": "adam", "learning_rate": 0.01, "dtype": "float32"},
        {"optimizer": "lbfgs", "corrections": 7},
    ],
    ids=["momentum", "adam and patience", "adam in float32", "lbfgs"],
)
def test_every_optimizer_goes_on_with_the_same_bits(
    service: Service, new_worker: StartWorker, training: dict[str, Any]
) -> None:
    common = {"iterations": 3_000, "weight_decay": 1e-4, "init": "uniform", "seed": 1}
    body = {**job_body(service), "holdout": 0.1, "training": {**common, **training}}
    worker = new_worker()
    job = service.submit(body)
    wait_for("progress", progressed(service, job["id"], 1))
    # Past a first checkpoint as often as not, and in the middle of a pass through the mini-batches.
    time.sleep(random.uniform(0, 0.6))  # noqa: S311
    for horse in psutil.Process(worker.pid).children():
        horse.kill()
    done = wait_for("the end", ended(service, job["id"]))
    assert done["status"] == "succeeded", done["error"]
    undisturbed = service.train(body)
    assert done["stopped_by"] == undisturbed["stopped_by"]
    rows = service.costs(job["id"])
    assert [row["iteration"] for row in rows] == list(range(done["iteration"] + 1))
    assert rows == service.costs(undisturbed["id"])
    weights = [service.api.get(f"/v1/models/{each['model_id']}/weights").content for each in (done, undisturbed)]
    assert weights[0] == weights[1]


def test_a_job_that_kills_its_workers_is_given_up(service: Service, new_worker: StartWorker) -> None:
    worker = new_worker()
    job = service.submit(job_body(service))
    for attempt in range(1, service.settings.max_crashes + 1):
        wait_for("the next attempt", attempted(service, job["id"], attempt))
        work_horse(worker).kill()
    done = wait_for("the end", ended(service, job["id"]))
    assert (done["status"], done["error"]["code"]) == ("failed", "worker_lost")


def test_a_running_job_is_cancelled_at_its_next_flush(service: Service, new_worker: StartWorker) -> None:
    new_worker()
    job = service.submit({**job_body(service), "training": {**TRAINING, "iterations": 10_000_000}})
    wait_for("progress", progressed(service, job["id"], 100))
    answer = service.api.post(f"/v1/jobs/{job['id']}/cancel").json()
    assert (answer["status"], answer["cancel_requested"]) == ("running", True)
    done = wait_for("the end", ended(service, job["id"]), seconds=5)
    assert done["status"] == "cancelled"
    assert len(service.costs(job["id"])) == done["iteration"] + 1


def test_a_queue_that_redis_has_lost_is_filled_again(service: Service, new_worker: StartWorker) -> None:
    jobs = [service.submit({**job_body(service), "training": {**TRAINING, "iterations": 10}}) for _ in range(3)]
    connection = redis.Redis.from_url(service.settings.redis_url)
    connection.delete(f"rq:queue:{service.settings.queue_name}")
    connection.close()
    new_worker()
    for job in jobs:
        assert wait_for("the end", ended(service, job["id"]))["status"] == "succeeded"
