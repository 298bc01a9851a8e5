from __future__ import annotations

from typing import get_args

import pytest
from sqlalchemy.orm import Session

from backprop_client.wire.jobs import EventKind, Status
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, control, events
from domain.jobs.transitions import hold, take
from domain.life import TRANSITIONS, Superseded
from infra.database import Database
from infra.tables import Job
from tests.support.jobs import claimed, crash, queued_job


def told(database: Database, job_id: str) -> list[tuple[str, str | None, str, int]]:
    """Kind, statuses and attempt of every event of the job."""
    with database.reading() as session:
        rows = events.list_events(session, job_id, after=0, limit=1000).rows
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    return [(row.kind, row.from_status, row.to_status, row.attempt) for row in rows]


def test_the_table_has_every_kind_and_only_statuses() -> None:
    assert list(TRANSITIONS) == list(get_args(EventKind))
    assert {step.target for step in TRANSITIONS.values()} == set(get_args(Status))


def test_a_whole_life_is_told_in_order(database: Database) -> None:
    job_id = queued_job(database)
    first = claimed(database, job_id)
    with database.writing() as session:
        attempts.release(session, first.owner, "It was asked to stop.")
    second = claimed(database, job_id)
    crash(database, job_id)
    third = claimed(database, job_id)
    with database.writing() as session, pytest.raises(Superseded):
        attempts.fail(session, second.owner, "diverged", "too late")
    with database.writing() as session:
        attempts.fail(session, third.owner, "out_of_memory", "no memory")
    with database.writing() as session:
        control.resume(session, DEFAULT_PROJECT, job_id, None)
    last = claimed(database, job_id)
    for _ in range(2):
        with database.writing() as session:
            control.request_cancel(session, DEFAULT_PROJECT, job_id)
    with database.writing() as session:
        attempts.cancel(session, last.owner)
    assert told(database, job_id) == [
        ("submitted", None, "queued", 0),
        ("started", "queued", "running", 1),
        ("released", "running", "queued", 1),
        ("started", "queued", "running", 2),
        ("lost", "running", "queued", 2),
        ("started", "queued", "running", 3),
        ("failed", "running", "failed", 3),
        ("resumed", "failed", "queued", 3),
        ("started", "queued", "running", 4),
        ("cancel_requested", "running", "running", 4),
        ("cancelled", "running", "cancelled", 4),
    ]


def test_a_step_and_its_event_are_written_together_or_not_at_all(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)

    def succeed_and_break(session: Session) -> None:
        attempts.succeed(session, claim.owner, "mdl_x", None)
        raise RuntimeError("the power goes")

    with pytest.raises(RuntimeError), database.writing() as session:
        succeed_and_break(session)
    assert [kind for kind, *_ in told(database, job_id)] == ["submitted", "started"]
    with database.reading() as session:
        job = session.get(Job, job_id)
        assert job is not None
        assert job.status == "running"


@pytest.mark.parametrize("kind", [kind for kind, step in TRANSITIONS.items() if "queued" not in step.sources])
def test_a_step_from_another_status_is_impossible(database: Database, kind: EventKind) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        assert hold(session, kind, Job.id == job_id) is None
        job = session.get(Job, job_id)
        assert job is not None
        with pytest.raises(ValueError, match="queued cannot be"):
            take(session, job, kind)
    assert [kind for kind, *_ in told(database, job_id)] == ["submitted"]


def test_events_come_in_pages(database: Database) -> None:
    job_id = queued_job(database)
    claimed(database, job_id)
    with database.reading() as session:
        first = events.list_events(session, job_id, after=0, limit=1)
        second = events.list_events(session, job_id, after=1, limit=1)
    assert ([row.kind for row in first.rows], first.has_more) == (["submitted"], True)
    assert ([row.kind for row in second.rows], second.has_more) == (["started"], False)
