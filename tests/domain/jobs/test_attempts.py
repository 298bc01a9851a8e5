from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from sqlalchemy import text

from backprop.training import Record
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, checkpoints, costs, supervision
from domain.jobs import rows as jobs
from domain.jobs.attempts import Claim, Progress
from domain.life import Superseded
from infra.database import Database
from tests.support.jobs import LEASE, claimed, queued_job, reported, requeue, save_state, status


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
    assert (job.lease_expires_at - job.started_at).total_seconds() == pytest.approx(
        LEASE, abs=2.0
    )  # begun later, on a busy machine


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
