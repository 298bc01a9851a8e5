from __future__ import annotations

import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, control
from infra.database import Database
from infra.errors import Conflict, NotFound
from tests.support.jobs import LEASE, claimed, queued_job, reported, status


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
