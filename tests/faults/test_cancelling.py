"""Cancelling takes effect at once, whatever the work-horse is doing, and a job has one end only."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, control, supervision
from domain.jobs import rows as jobs
from domain.life import Superseded
from infra.database import Database
from infra.errors import Conflict
from tests.support.faults import SOON, StartWorker, ended, job_body, job_of, progressed, some_moments
from tests.support.jobs import claimed, queued_job
from tests.support.service import Service
from tests.support.waiting import wait_for
from worker import attempt
from worker.attempt import attempt_job
from worker.shutdown import Shutdown

FINAL = ("succeeded", "failed", "cancelled")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_running_job_is_cancelled_at_its_next_flush(service: Service, new_worker: StartWorker) -> None:
    new_worker()
    job = service.submit(job_body(service, iterations=10_000_000))
    progressed(service, job["id"], 100)
    answer = service.api.post(f"/v1/jobs/{job['id']}/cancel").json()
    assert (answer["status"], answer["cancel_requested"]) == ("running", True)
    done = ended(service, job["id"], SOON)
    assert done["status"] == "cancelled"
    assert len(service.costs(job["id"])) == done["iteration"] + 1


@pytest.fixture
def listening() -> Iterator[Shutdown]:
    """A work-horse's way to be interrupted, in this process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    shutdown = Shutdown()
    shutdown.on_sigterm()
    yield shutdown
    for number, handler in before.items():
        signal.signal(number, handler)


def hours(*_arguments: object) -> Any:  # noqa: ANN401
    """What a hundred million rows take; here half a minute, for the test to fail if nothing interrupts it."""
    time.sleep(30)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("phase", ["prepare", "evaluate", "importance_of_columns", "iteration"])
@pytest.mark.parametrize("how", ["cancel", "supersede", "terminate"])
def test_what_takes_hours_is_interrupted(
    service: Service, listening: Shutdown, monkeypatch: pytest.MonkeyPatch, phase: str, how: str
) -> None:
    """Preparing, measuring, and a single iteration."""
    job_id = service.submit(job_body(service, iterations=50))["id"]
    if phase == "iteration":
        monkeypatch.setattr("backprop.passes.backpropagation.Backpropagation.evaluate", hours)
    else:
        monkeypatch.setattr(attempt, phase, hours)

    def interfere() -> None:
        wait_for("the attempt", lambda: job_of(service, job_id)["status"] == "running")
        time.sleep(0.3)
        if how == "cancel":
            service.api.post(f"/v1/jobs/{job_id}/cancel")
        elif how == "terminate":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        else:
            with service.database.writing() as session:
                jobs.get(session, DEFAULT_PROJECT, job_id).token = "another's"

    helper = threading.Thread(target=interfere)
    helper.start()
    attempt_job(job_id, service.database, service.artifacts, service.settings, listening)
    helper.join()
    expected = {"cancel": "cancelled", "terminate": "queued", "supersede": "running"}[how]
    assert job_of(service, job_id)["status"] == expected


def test_a_job_cancelled_as_its_worker_is_asked_to_stop_is_cancelled(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, job_id)
    with database.writing() as session:
        assert attempts.release(session, claim.owner, "asked to stop") == "cancelled"


def test_whoever_comes_first_ends_the_job_and_nobody_else(database: Database) -> None:
    """Cancelling, succeeding, failing, stopping, crashing and resuming in the same instant, many times over."""
    moments = some_moments()
    endings: dict[str, int] = {}
    for _ in range(25):
        job_id = queued_job(database)
        owner = claimed(database, job_id).owner
        with database.writing() as session:
            jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=60)
        writers = [
            in_one_transaction(database, control.request_cancel, DEFAULT_PROJECT, job_id),
            in_one_transaction(database, attempts.succeed, owner, "mdl_x", None),
            in_one_transaction(database, attempts.fail, owner, "diverged", "no"),
            in_one_transaction(database, attempts.cancel, owner),
            in_one_transaction(database, attempts.release, owner, "asked to stop"),
            in_one_transaction(database, supervision.recover, 1),
            in_one_transaction(database, attempts.claim, job_id, 60.0),
        ]
        moments.shuffle(writers)
        results = at_the_same_time(writers)
        final = [name for name, ended_it in results if ended_it and name in ("succeed", "fail", "cancel")]
        assert len(final) <= 1
        with database.reading() as session:
            job = jobs.get(session, DEFAULT_PROJECT, job_id)
        endings[job.status] = endings.get(job.status, 0) + 1
        if final:
            assert job.status == {"succeed": "succeeded", "fail": "failed", "cancel": "cancelled"}[final[0]]
        assert (job.finished_at is not None) == (job.status in FINAL)
        assert (job.model_id is not None) == (job.status == "succeeded")
        assert (job.error_code is not None) == (job.status == "failed")
        assert (job.token is not None) == (job.status == "running")
        assert not (job.cancel_requested and job.status == "queued")
    assert len(endings) > 1, endings


def in_one_transaction(
    database: Database, write: Callable[..., object], *arguments: object
) -> Callable[[], tuple[str, bool]]:
    def run() -> tuple[str, bool]:
        try:
            with database.writing() as session:
                write(session, *arguments)
        except (Superseded, Conflict):
            return write.__name__, False
        return write.__name__, True

    return run


def at_the_same_time(functions: list[Callable[[], tuple[str, bool]]]) -> list[tuple[str, bool]]:
    start = threading.Barrier(len(functions))
    results: list[tuple[str, bool]] = []

    def run(function: Callable[[], tuple[str, bool]]) -> None:
        start.wait()
        results.append(function())

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(functions)
    return results


def test_jobs_cancelled_at_any_moment_end_once(service: Service, new_worker: StartWorker) -> None:
    moments = some_moments()
    body = job_body(service, iterations=600)
    submitted = [service.submit(body)["id"] for _ in range(8)]
    new_worker()
    new_worker()
    answers: dict[str, int] = {}
    for job_id in submitted:
        time.sleep(moments.uniform(0, 0.4))
        answers[job_id] = service.api.post(f"/v1/jobs/{job_id}/cancel").status_code
    ends = {job_id: ended(service, job_id) for job_id in submitted}
    for job_id, job in ends.items():
        assert job["status"] in ("cancelled", "succeeded"), job
        assert answers[job_id] == 200 or job["status"] == "succeeded"
        rows = service.costs(job_id)
        assert [row["iteration"] for row in rows] == list(range(len(rows)))
        assert len(rows) == (0 if job["iteration"] is None else job["iteration"] + 1)
    time.sleep(1)
    assert ends == {job_id: job_of(service, job_id) for job_id in submitted}  # and nothing changes any more
