from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.life import Superseded
from domain.predictions import attempts, rows
from domain.predictions.attempts import Claim
from infra.database import Database
from infra.ids import new_id
from infra.tables import Job, Model, QueuedPrediction

LEASE = 10.0


@pytest.fixture
def prediction_id(database: Database) -> str:
    """A prediction that waits, with the model and the job that it needs."""
    now = datetime.now(UTC)
    job = Job(
        id=new_id("job"),
        project=DEFAULT_PROJECT,
        dataset_id="ds_1",
        spec={},
        status="succeeded",
        iterations=1,
        attempt=1,
        crashes=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
    )
    model = Model(
        id=new_id("mdl"),
        project=DEFAULT_PROJECT,
        job_id=job.id,
        dataset_id="ds_1",
        task="regression",
        network={},
        preprocessing={},
        metrics={},
        iteration=1,
        cost=1.0,
        weights=b"",
        created_at=now,
    )
    prediction = QueuedPrediction(
        id=new_id("prd"),
        project=DEFAULT_PROJECT,
        model_id=model.id,
        dataset_id="ds_1",
        unknown_categories="refuse",
        status="queued",
        rows=100,
        part_rows=10,
        rows_done=0,
        unknown={},
        attempt=0,
        crashes=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
    )
    with database.writing() as session:
        for row in (job, model, prediction):
            session.add(row)
            session.flush()
    return prediction.id


def claimed(database: Database, prediction_id: str, lease: float = LEASE) -> Claim:
    with database.writing() as session:
        claim = attempts.claim(session, prediction_id, lease)
    assert claim is not None
    return claim


def row_of(database: Database, prediction_id: str) -> QueuedPrediction:
    with database.reading() as session:
        return rows.get(session, DEFAULT_PROJECT, prediction_id)


def recover(database: Database, max_crashes: int = 3) -> None:
    with database.writing() as session:
        attempts.recover(session, max_crashes)


def test_one_of_several_claims_it(database: Database, prediction_id: str) -> None:
    claimed(database, prediction_id)
    with database.writing() as session:
        assert attempts.claim(session, prediction_id, LEASE) is None
        assert attempts.claim(session, "prd_1", LEASE) is None
    assert (row_of(database, prediction_id).status, row_of(database, prediction_id).attempt) == ("running", 1)


def test_who_has_lost_it_writes_nothing_more(database: Database, prediction_id: str) -> None:
    first = claimed(database, prediction_id, lease=-1.0)
    recover(database)
    second = claimed(database, prediction_id)
    owner = first.owner
    for write in (
        lambda session: attempts.renew(session, owner, LEASE),
        lambda session: attempts.report(session, owner, 50, {}, 1.0, LEASE),
        lambda session: attempts.succeed(session, owner),
        lambda session: attempts.fail(session, owner, "internal_error", "x"),
        lambda session: attempts.cancel(session, owner),
        lambda session: attempts.release(session, owner),
        lambda session: attempts.owned(session, owner),
    ):
        with pytest.raises(Superseded), database.writing() as session:
            write(session)
    row = row_of(database, prediction_id)
    assert (row.status, row.rows_done, row.token) == ("running", 0, second.owner.token)


def test_an_attempt_goes_on_after_what_is_done(database: Database, prediction_id: str) -> None:
    first = claimed(database, prediction_id)
    with database.writing() as session:
        attempts.report(session, first.owner, 30, {"a": 2}, 5.0, -1.0)
    recover(database)
    row = claimed(database, prediction_id).prediction
    assert (row.rows_done, row.unknown, row.attempt, row.crashes, row.rate) == (30, {"a": 2}, 2, 1, None)


def test_crashes_at_the_same_rows_end_it_and_others_do_not(database: Database, prediction_id: str) -> None:
    for done in (10, 20, 30):  # each gets a part further
        owner = claimed(database, prediction_id).owner
        with database.writing() as session:
            attempts.report(session, owner, done, {}, 1.0, -1.0)
        recover(database, max_crashes=2)
        assert row_of(database, prediction_id).status == "queued"
    claimed(database, prediction_id, lease=-1.0)
    recover(database, max_crashes=2)
    row = row_of(database, prediction_id)
    assert (row.status, row.error_code) == ("failed", "worker_lost")
    assert "after row 30" in (row.error_message or "")


@pytest.mark.parametrize("by", ["release", "recovery"])
def test_one_that_is_to_be_cancelled_is_not_queued_again(database: Database, prediction_id: str, by: str) -> None:
    claim = claimed(database, prediction_id, lease=-1.0)
    with database.writing() as session:
        rows.locked(session, DEFAULT_PROJECT, prediction_id).cancel_requested = True
    if by == "recovery":
        recover(database)
    else:
        with database.writing() as session:
            assert attempts.release(session, claim.owner) == "cancelled"
    assert row_of(database, prediction_id).status == "cancelled"
    assert row_of(database, prediction_id).finished_at is not None


def test_a_lease_that_is_kept_is_not_taken(database: Database, prediction_id: str) -> None:
    claim = claimed(database, prediction_id, lease=-1.0)
    with database.writing() as session:
        assert attempts.renew(session, claim.owner, LEASE) is False
    recover(database)
    assert row_of(database, prediction_id).status == "running"
