"""Jobs in the database, without the API and without workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, checkpoints, supervision, transitions
from domain.jobs import rows as jobs
from domain.jobs.attempts import Claim, Progress
from domain.jobs.transitions import Owner
from infra.database import Database
from infra.ids import new_id
from infra.tables import Job

LEASE = 10.0
"""Seconds."""


def queued_job(database: Database) -> str:
    """A job that waits; gives its id."""
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
    """Write a whole checkpoint of that iteration."""
    for part in checkpoints.cut(iteration, b"state"):
        attempts.save_checkpoint(session, job_id, part)


def claimed(database: Database, job_id: str) -> Claim:
    """An attempt that has claimed the job."""
    with database.writing() as session:
        claim = attempts.claim(session, job_id, LEASE)
    assert claim is not None
    return claim


def status(database: Database, job_id: str) -> str:
    """The job's status now."""
    with database.reading() as session:
        return jobs.get(session, DEFAULT_PROJECT, job_id).status


def requeue(database: Database, job_id: str) -> None:
    """Take the job from its attempt without a word."""
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).status = "queued"


def crash(database: Database, job_id: str, max_crashes: int = 3) -> Job:
    """Let the lease run out, and have the job recovered."""
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=1)
    with database.writing() as session:
        supervision.recover(session, max_crashes)
    with database.reading() as session:
        return jobs.get(session, DEFAULT_PROJECT, job_id)


def save_checkpoint(database: Database, job_id: str, iteration: int) -> None:
    """Write a checkpoint in a transaction of its own."""
    with database.writing() as session:
        save_state(session, job_id, iteration)
