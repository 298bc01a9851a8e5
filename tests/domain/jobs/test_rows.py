"""The job's life in the database: one claim, guarded writes, one final status."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from backprop.training import Record
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, checkpoints, control, costs, supervision, transitions
from domain.jobs import rows as jobs
from domain.jobs.attempts import Claim, Progress
from domain.jobs.transitions import Owner, Superseded
from infra.database import Database
from infra.errors import Conflict, NotFound
from infra.ids import new_id
from infra.tables import Job

LEASE = 10.0


def queued_job(database: Database) -> str:
    now = datetime.now(UTC)
    job = Job(
        id=new_id("job"),
        project=DEFAULT_PROJECT,
        dataset_id=new_id("ds"),
        spec={"training": {"iterations": 10}},
        status="queued",
        iterations=10,
        attempt=0,
        crashes=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
    )
    with database.writing() as session:
        transitions.add(session, job)
    return job.id


def reported(session: Session, owner: Owner, progress: Progress | None = None) -> bool:
    """Report, with nothing else to write; tells whether somebody asked to cancel."""
    with attempts.reporting(session, owner, progress, LEASE) as cancel_requested:
        return cancel_requested


def save_state(session: Session, job_id: str, iteration: int) -> None:
    for part in checkpoints.cut(iteration, b"state"):
        attempts.save_checkpoint(session, job_id, part)


def claimed(database: Database, job_id: str) -> Claim:
    with database.writing() as session:
        claim = attempts.claim(session, job_id, LEASE)
    assert claim is not None
    return claim


def status(database: Database, job_id: str) -> str:
    with database.reading() as session:
        return jobs.get(session, DEFAULT_PROJECT, job_id).status


def test_of_many_claims_at_once_exactly_one_succeeds(database: Database) -> None:
    job_id = queued_job(database)
    start = threading.Barrier(8)
    claims: list[Claim | None] = []

    def claim() -> None:
        start.wait()
        with database.writing() as session:
            claims.append(attempts.claim(session, job_id, LEASE))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 8
    assert sum(claim is not None for claim in claims) == 1


def test_a_claim_starts_the_job_and_counts_the_attempt(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.reading() as session:
        job = jobs.get(session, DEFAULT_PROJECT, job_id)
    assert (job.status, job.attempt, job.token) == ("running", 1, claim.owner.token)
    assert job.started_at is not None
    assert job.lease_expires_at is not None
    assert (job.lease_expires_at - job.started_at).total_seconds() == pytest.approx(LEASE, abs=0.1)


def requeue(database: Database, job_id: str) -> None:
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).status = "queued"


@pytest.mark.parametrize(
    "write",
    [
        lambda session, owner: reported(session, owner, Progress(3, 0.5, None)),
        lambda session, owner: attempts.succeed(session, owner, "mdl_x", None),
        lambda session, owner: attempts.record_gradient_check(session, owner, {}),
        lambda session, owner: attempts.fail(session, owner, "diverged", "message"),
        lambda session, owner: attempts.cancel(session, owner),
    ],
    ids=["report", "succeed", "check", "fail", "cancel"],
)
def test_a_superseded_attempt_writes_nothing(database: Database, write: Callable[..., object]) -> None:
    job_id = queued_job(database)
    first = claimed(database, job_id)
    requeue(database, job_id)
    second = claimed(database, job_id)
    with pytest.raises(Superseded), database.writing() as session:
        write(session, first.owner)
    with database.reading() as session:
        job = jobs.get(session, DEFAULT_PROJECT, job_id)
    assert (job.status, job.token, job.iteration, job.error_code) == ("running", second.owner.token, None, None)


def test_a_new_attempt_drops_the_cost_rows_past_the_checkpoint(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        reported(session, claim.owner, Progress(5, 0.5, None))
        costs.add(session, job_id, [Record(k, 1.0 / (k + 1), 1.0 / (k + 1), 0.0) for k in range(6)])
        save_state(session, job_id, 3)
    requeue(database, job_id)
    second = claimed(database, job_id)
    assert second.checkpoint == 3
    with database.reading() as session:
        assert checkpoints.read(session, job_id) == b"state"
        rows, has_more = costs.list_rows(session, job_id, after=-1, limit=100)
    assert [row.iteration for row in rows] == [0, 1, 2, 3]
    assert not has_more


def test_cancelling_a_queued_job_ends_it_and_it_cannot_be_claimed(database: Database) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        assert control.request_cancel(session, DEFAULT_PROJECT, job_id).status == "cancelled"
    with database.writing() as session:
        assert attempts.claim(session, job_id, LEASE) is None


def test_cancelling_a_running_job_asks_its_worker(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        assert reported(session, claim.owner) is False
    with database.writing() as session:
        assert control.request_cancel(session, DEFAULT_PROJECT, job_id).status == "running"
    with database.writing() as session:
        assert reported(session, claim.owner) is True
    with database.writing() as session:
        attempts.cancel(session, claim.owner)
    assert status(database, job_id) == "cancelled"


def test_cancelling_twice_is_the_same_as_once(database: Database) -> None:
    job_id = queued_job(database)
    for _ in range(2):
        with database.writing() as session:
            assert control.request_cancel(session, DEFAULT_PROJECT, job_id).status == "cancelled"


def test_an_ended_job_cannot_be_cancelled(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        attempts.fail(session, claim.owner, "diverged", "J is not finite")
    with pytest.raises(Conflict) as refused, database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, job_id)
    assert refused.value.code == "job_already_ended"


def test_an_unknown_job_cannot_be_cancelled(database: Database) -> None:
    with pytest.raises(NotFound), database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, "job_unknown")


def test_jobs_are_listed_newest_first_in_pages(database: Database) -> None:
    ids = sorted((queued_job(database) for _ in range(5)), reverse=True)
    with database.reading() as session:
        first = jobs.list_page(session, DEFAULT_PROJECT, after=None, limit=2)
        second = jobs.list_page(session, DEFAULT_PROJECT, after=first.rows[-1].id, limit=3)
    assert [job.id for job in first.rows + second.rows] == ids
    assert (first.has_more, second.has_more) == (True, False)


def crash(database: Database, job_id: str, max_crashes: int = 3) -> Job:
    """Let the lease run out, and have the job recovered."""
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=1)
    with database.writing() as session:
        supervision.recover(session, max_crashes)
    with database.reading() as session:
        return jobs.get(session, DEFAULT_PROJECT, job_id)


def save_checkpoint(database: Database, job_id: str, iteration: int) -> None:
    with database.writing() as session:
        save_state(session, job_id, iteration)


def test_crashes_count_until_a_checkpoint_that_is_further_on(database: Database) -> None:
    job_id = queued_job(database)
    for crashes, checkpoint in ((1, None), (1, 0), (2, None), (1, 5), (2, 5), (1, 6)):
        claimed(database, job_id)
        if checkpoint is not None:
            save_checkpoint(database, job_id, checkpoint)
        job = crash(database, job_id)
        assert (job.status, job.crashes) == ("queued", crashes)
    claimed(database, job_id)
    crash(database, job_id)
    claimed(database, job_id)
    job = crash(database, job_id)
    assert (job.status, job.error_code, job.token) == ("failed", "worker_lost", None)
    assert job.finished_at is not None


def test_a_job_whose_worker_died_after_a_cancel_is_cancelled(database: Database) -> None:
    job_id = queued_job(database)
    claimed(database, job_id)
    with database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, job_id)
    assert crash(database, job_id).status == "cancelled"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_host_whose_clock_is_wrong_takes_nobody_s_job_and_gives_no_lease_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Wrong:
            return cls.fromtimestamp(time.time() + 3600 * hours, tz)

    job_id = queued_job(database)
    for module in ("infra.database", "domain.jobs.rows"):
        monkeypatch.setattr(f"{module}.datetime", Wrong, raising=False)
    claim = claimed(database, job_id)
    with database.writing() as session:
        supervision.recover(session, 1)
    assert status(database, job_id) == "running"
    with database.writing() as session:
        reported(session, claim.owner)
    with database.reading() as session:
        lease = jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at
    assert lease is not None
    assert (lease - datetime.now(UTC)).total_seconds() == pytest.approx(LEASE, abs=5)


def test_a_lease_begins_when_everything_is_written(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session, attempts.reporting(session, claim.owner, None, LEASE):
        if session.connection().dialect.name == "postgresql":
            session.execute(text("SELECT pg_sleep(1.5)"))
        else:
            time.sleep(1.5)
    with database.reading() as session:
        lease = jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at
    assert lease is not None
    assert (lease - datetime.now(UTC)).total_seconds() > LEASE - 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_job_is_not_taken_over_while_its_attempt_writes(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=1)
    with (
        database.writing() as session,
        attempts.reporting(session, claim.owner, None, LEASE),
        database.writing() as other,
    ):
        supervision.recover(other, 1)
    assert status(database, job_id) == "running"


def test_a_new_attempt_s_progress_is_that_of_the_checkpoint(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        reported(session, claim.owner, Progress(5, 0.5, 9.0))
        costs.add(session, job_id, [Record(k, 1.0 / (k + 1), 1.0 / (k + 1), 0.0) for k in range(6)])
        save_state(session, job_id, 3)
    requeue(database, job_id)
    claimed(database, job_id)
    with database.reading() as session:
        job = jobs.get(session, DEFAULT_PROJECT, job_id)
    assert (job.iteration, job.cost, job.rate) == (3, 0.25, None)
