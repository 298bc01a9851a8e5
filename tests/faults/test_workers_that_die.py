"""A job that was accepted ends, with the very bits of an undisturbed run, whatever happens to its worker."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from domain.jobs import checkpoints
from tests.support.faults import (
    LONG_LEASE,
    OPTIMIZERS,
    SOON,
    StartWorker,
    assert_same_as_undisturbed,
    ended,
    has_ended,
    job_body,
    job_of,
    open_body,
    optimizer_body,
    progressed,
    row_of,
    some_moments,
    work_horse,
)
from tests.support.service import Service
from tests.support.waiting import wait_for


def horses_of(workers: list[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    return [horse for worker in workers for horse in psutil.Process(worker.pid).children()]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_costs_can_be_read_while_the_job_trains(service: Service, new_worker: StartWorker) -> None:
    new_worker()
    job = service.submit(job_body(service))
    progressed(service, job["id"], 100)
    rows = service.api.get(f"/v1/jobs/{job['id']}/costs").json()["data"]
    assert [row["iteration"] for row in rows] == list(range(len(rows)))
    assert job_of(service, job["id"])["rate"] > 0
    assert ended(service, job["id"])["status"] == "succeeded"


@pytest.mark.parametrize(
    ("database_url", "victims"),
    [("sqlite", "work-horse"), ("sqlite", "worker"), ("sqlite", "both"), ("postgresql", "both")],
    indirect=["database_url"],
)
def test_sigkill_at_any_moment_loses_nothing(service: Service, new_worker: StartWorker, victims: str) -> None:
    moments = some_moments()
    body = {**job_body(service), "register": {"name": "survivor", "alias": "production"}}
    workers = [new_worker(), new_worker()]
    job = service.submit(body)
    for attempt in (1, 2):
        wait_for("the next attempt", lambda: job_of(service, job["id"])["attempt"] >= attempt)  # noqa: B023
        time.sleep(moments.uniform(0, 0.6))
        # None where the job was done before we came; two where it was delivered twice.
        busy = [(worker, horse) for worker in workers for horse in horses_of([worker])]
        for worker, horse in busy:
            kill(victims, worker, horse)
            if worker.returncode is not None:
                workers[workers.index(worker)] = new_worker()
        if job_of(service, job["id"])["status"] == "succeeded":
            break
    job = ended(service, job["id"])
    (version,) = service.api.get("/v1/registry/survivor/versions").json()["data"]
    assert (version["model_id"], version["aliases"]) == (job["model_id"], ["production"])
    assert_same_as_undisturbed(service, body, job)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_sigkill_during_the_trials_before_a_training_changes_no_choice(
    service: Service, new_worker: StartWorker
) -> None:
    moments = some_moments()
    body = open_body(service)
    workers = [new_worker(max_crashes=1_000), new_worker(max_crashes=1_000)]
    job = service.submit(body)
    killed = 0
    while (now := job_of(service, job["id"]))["status"] in ("queued", "running"):
        time.sleep(moments.uniform(0, 0.5))
        trying = now["selection"]["chosen"] is None
        for horse in horses_of(workers) if trying and killed < 4 else ():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                horse.kill()
                killed += 1
    assert killed > 0
    done = ended(service, job["id"])
    assert_same_as_undisturbed(service, body, done)
    undisturbed = service.train(body)
    assert (done["selection"], done["network"]) == (undisturbed["selection"], undisturbed["network"])


def kill(victims: str, worker: subprocess.Popen[bytes], horse: psutil.Process) -> None:
    if victims in ("worker", "both"):
        worker.kill()
        worker.wait()
    writers: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):  # it has just ended
        writers = horse.children()
        if victims in ("work-horse", "both"):
            horse.kill()
    for process in (horse, *writers):
        wait_for("the end of the work-horse and of who writes for it", lambda: has_ended(process), SOON)  # noqa: B023


def test_sigkill_while_it_prepares_measures_or_finishes_loses_nothing(
    service: Service, new_worker: StartWorker
) -> None:
    """Jobs so short that training is the least part of them, and a killer that comes several times in each."""
    moments = some_moments()
    body = job_body(service, iterations=40)
    workers = [new_worker(max_crashes=1_000), new_worker(max_crashes=1_000)]
    submitted = [service.submit(body) for _ in range(8)]
    wait_for("the first work-horse", lambda: horses_of(workers))
    stop_at = time.monotonic() + 2
    killed = 0
    while time.monotonic() < stop_at:
        time.sleep(moments.uniform(0, 0.12))
        for horse in horses_of(workers):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                horse.kill()
                killed += 1
    assert killed > 0
    done = [ended(service, job["id"]) for job in submitted]
    assert_same_as_undisturbed(service, body, done[0])
    costs, weights = service.costs(done[0]["id"]), service.weights(done[0]["model_id"])
    for job in done[1:]:
        assert job["status"] == "succeeded", job["error"]
        assert service.costs(job["id"]) == costs
        assert all((service.weights(job["model_id"])[name] == values).all() for name, values in weights.items())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("training", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_goes_on_with_the_same_bits(
    service: Service, new_worker: StartWorker, training: dict[str, Any]
) -> None:
    moments = some_moments()
    body = optimizer_body(service, training, iterations=1_000)
    worker = new_worker()
    job = service.submit(body)
    progressed(service, job["id"], 1)
    # Past a first checkpoint as often as not, and in the middle of a pass through the mini-batches.
    time.sleep(moments.uniform(0, 0.6))
    for horse in horses_of([worker]):
        with suppress(psutil.NoSuchProcess):
            horse.kill()
    assert_same_as_undisturbed(service, body, ended(service, job["id"]))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_work_horse_that_was_frozen_past_its_lease_writes_nothing_more(
    service: Service, new_worker: StartWorker
) -> None:
    body = job_body(service, iterations=6_000)
    slow = new_worker()
    job = service.submit(body)
    progressed(service, job["id"], 100)
    horse = work_horse(slow)
    horse.suspend()
    new_worker(lease_seconds=LONG_LEASE)
    wait_for("the next attempt", lambda: job_of(service, job["id"])["attempt"] == 2)
    progressed(service, job["id"], 1)
    horse.resume()  # amid the other attempt
    done = ended(service, job["id"])
    assert done["attempt"] == 2
    assert_same_as_undisturbed(service, body, done)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_job_that_kills_its_workers_is_given_up(service: Service, new_worker: StartWorker) -> None:
    most = 2
    worker = new_worker(checkpoint_seconds=60.0, max_crashes=most)
    job = service.submit(job_body(service, iterations=1_000_000))
    for attempt in range(1, most + 1):
        wait_for("the next attempt", lambda: job_of(service, job["id"])["attempt"] >= attempt)  # noqa: B023
        work_horse(worker).kill()
    done = ended(service, job["id"])
    assert (done["status"], done["error"]["code"]) == ("failed", "worker_lost")
    assert f"died {most} times" in done["error"]["message"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_gets_on_between_deaths_is_not_given_up(service: Service, new_worker: StartWorker) -> None:
    most = 2
    worker = new_worker(max_crashes=most)
    job = service.submit(job_body(service, iterations=10_000_000))
    checkpoint = -1
    for attempt in range(1, most + 2):
        wait_for("the next attempt", lambda: job_of(service, job["id"])["attempt"] >= attempt)  # noqa: B023
        checkpoint = wait_for("a new checkpoint", lambda: newer_checkpoint(service, job["id"], checkpoint))  # noqa: B023
        work_horse(worker).kill()
    wait_for("another attempt", lambda: job_of(service, job["id"])["attempt"] >= most + 2)
    assert row_of(service, job["id"]).crashes <= 1


def newer_checkpoint(service: Service, job_id: str, than: int) -> int | None:
    with service.database.reading() as session:
        iteration = checkpoints.iteration_of(session, job_id)
    return iteration if iteration is not None and iteration > than else None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_killed_work_horse_left_on_the_disk_is_removed(
    service: Service, new_worker: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    worker = new_worker()
    job = service.submit(job_body(service, iterations=1_000_000))
    progressed(service, job["id"], 1)
    (left,) = tmp_path.glob("backprop-job-*")
    worker.kill()
    new_worker()
    wait_for("the folder to be gone", lambda: not left.exists())
    monkeypatch.setattr(tempfile, "tempdir", None)
