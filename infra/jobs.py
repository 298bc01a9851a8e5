"""The jobs' repository: every change of a job's status, each one guarded so that it happens at most once.

``queued → running → succeeded | failed | cancelled``. A worker that claims a job gets a token, and every later
write of that attempt names it: when the row carries another token by then, the attempt has been superseded and
nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from backprop.training import StopReason
from infra.errors import Conflict, NotFound, TooMany
from infra.paging import Page, page
from infra.projects import Project
from infra.tables import Checkpoint, Cost, Job

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


FULL_QUEUE_SECONDS = 10
"""After how long a client is told to try again when too many of its jobs are queued."""


class Superseded(Exception):
    """The attempt no longer owns the job: it has ended, or another attempt has claimed it. Stop at once."""


@dataclass(frozen=True)
class Claim:
    """An attempt's right to run a job.

    Attributes:
        job: the job's row as claimed.
        token: what each write of this attempt must name.
        checkpoint: the state to go on from, safetensors; None to start at iteration 0.
    """

    job: Job
    token: str
    checkpoint: bytes | None


def add(session: Session, job: Job) -> None:
    """Record a queued job."""
    session.add(job)
    session.flush()


def refuse_too_many(session: Session, project: Project, most: int) -> None:
    """Refuse another job of a project that has `most` queued ones. Call it in the transaction that adds the job.

    Raises:
        TooMany: code ``too_many_queued_jobs``.
    """
    if session.connection().dialect.name == "postgresql":  # on SQLite all writing transactions wait for each other
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(project))))
    queued = session.scalar(select(func.count()).where(Job.project == project, Job.status == "queued")) or 0
    if queued >= most:
        raise TooMany(
            "too_many_queued_jobs",
            f"{queued:,} jobs of this project wait for a worker, and this server queues no more than {most:,} "
            "(BACKPROP_MAX_QUEUED_JOBS).",
            retry_after=FULL_QUEUE_SECONDS,
        )


def get(session: Session, project: Project, job_id: str) -> Job:
    """The project's job of that id.

    Raises:
        NotFound: there is none (code ``job_not_found``).
    """
    return _found(project, job_id, session.get(Job, job_id))


def list_page(
    session: Session,
    project: Project,
    after: str | None,
    limit: int,
    status: Status | None = None,
    dataset_id: str | None = None,
) -> Page[Job]:
    """The project's jobs, newest first; only those of one status or dataset where given."""
    conditions: list[ColumnElement[bool]] = []
    if status is not None:
        conditions.append(Job.status == status)
    if dataset_id is not None:
        conditions.append(Job.dataset_id == dataset_id)
    return page(session, Job, project, *conditions, after=after, limit=limit)


def claim(session: Session, job_id: str, lease_seconds: float) -> Claim | None:
    """Take a queued job for this attempt; None when it is not (or no longer) queued.

    One conditional update decides between any number of claimants. The same transaction removes the cost rows
    past the checkpoint, which this attempt will compute again.
    """
    token = uuid4().hex
    now = datetime.now(UTC)
    claimed = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == "queued")
        .values(
            status="running",
            attempt=Job.attempt + 1,
            token=token,
            lease_expires_at=now + timedelta(seconds=lease_seconds),
            started_at=now,
            updated_at=now,
        )
        .returning(Job)
    ).scalar_one_or_none()
    if claimed is None:
        return None
    checkpoint = session.get(Checkpoint, job_id)
    last_kept = checkpoint.iteration if checkpoint is not None else -1
    session.execute(delete(Cost).where(Cost.job_id == job_id, Cost.iteration > last_kept))
    return Claim(claimed, token, checkpoint.state if checkpoint is not None else None)


@dataclass(frozen=True)
class Progress:
    """How far an attempt has come.

    Attributes:
        iteration: last iteration recorded.
        cost: J(W, b) there.
        rate: iterations per second since the attempt's first.
    """

    iteration: int
    cost: float
    rate: float | None


def report(session: Session, job_id: str, token: str, progress: Progress | None, lease_seconds: float) -> bool:
    """Renew the attempt's lease and record its progress; tells whether somebody asked to cancel.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    now = datetime.now(UTC)
    values: dict[str, Any] = {"lease_expires_at": now + timedelta(seconds=lease_seconds), "updated_at": now}
    if progress is not None:
        values |= {"iteration": progress.iteration, "cost": progress.cost, "rate": progress.rate}
    cancel_requested = session.execute(
        update(Job).where(*_owned(job_id, token)).values(values).returning(Job.cancel_requested)
    ).scalar_one_or_none()
    if cancel_requested is None:
        raise Superseded
    return cancel_requested


def save_checkpoint(session: Session, job_id: str, iteration: int, state: bytes) -> None:
    """Replace the job's checkpoint. Call it in the transaction of a `report`, which guards it."""
    session.execute(delete(Checkpoint).where(Checkpoint.job_id == job_id))
    session.execute(
        insert(Checkpoint).values(job_id=job_id, iteration=iteration, state=state, created_at=datetime.now(UTC))
    )


def record_gradient_check(session: Session, job_id: str, token: str, result: dict[str, Any]) -> None:
    """Keep the result of the check that the job asked for.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    recorded = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(gradient_check=result, updated_at=datetime.now(UTC))
        .returning(Job.id)
    ).scalar_one_or_none()
    if recorded is None:
        raise Superseded


def succeed(session: Session, job_id: str, token: str, model_id: str, stopped_by: StopReason | None) -> None:
    """End the job well. Call it in the transaction that adds the model.

    Args:
        session: of that transaction.
        job_id: which job.
        token: of the attempt.
        model_id: the model's.
        stopped_by: what ended the training before its last iteration, if anything did.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    _end(session, job_id, token, "succeeded", model_id=model_id, stopped_by=stopped_by)


def fail(session: Session, job_id: str, token: str, code: str, message: str) -> None:
    """End the job with an error that its owner can read.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    _end(session, job_id, token, "failed", error_code=code, error_message=message)


def cancel_running(session: Session, job_id: str, token: str) -> None:
    """End a running job that somebody asked to cancel; its checkpoint stays.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    _end(session, job_id, token, "cancelled")


def release(session: Session, job_id: str, token: str) -> None:
    """Put a running job back into the queue, for another worker to go on from its checkpoint.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    released = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(status="queued", token=None, lease_expires_at=None, updated_at=datetime.now(UTC))
        .returning(Job.id)
    ).scalar_one_or_none()
    if released is None:
        raise Superseded


def recover(session: Session, max_crashes: int) -> None:
    """Take running jobs from workers that have not reported within their lease.

    They are queued again, but a job that somebody asked to cancel is cancelled, and one that has lost its worker
    `max_crashes` times fails with the code ``worker_lost``.
    """
    now = datetime.now(UTC)
    expired = (Job.status == "running", Job.lease_expires_at < now)
    freed: dict[str, Any] = {"token": None, "lease_expires_at": None, "updated_at": now, "crashes": Job.crashes + 1}
    session.execute(
        update(Job)
        .where(*expired, Job.cancel_requested)
        .values(status="cancelled", finished_at=now, **freed)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Job)
        .where(*expired, Job.crashes + 1 >= max_crashes)
        .values(
            status="failed",
            finished_at=now,
            error_code="worker_lost",
            error_message=f"The worker died {max_crashes} times while it trained this job, most likely for lack of "
            "memory. Try a smaller network or fewer rows.",
            **freed,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Job).where(*expired).values(status="queued", **freed).execution_options(synchronize_session=False)
    )


def queued_ids(session: Session) -> list[str]:
    """Every job that waits for a worker, the longest waiting first."""
    return list(session.scalars(select(Job.id).where(Job.status == "queued").order_by(Job.id)))


def request_cancel(session: Session, project: Project, job_id: str) -> Job:
    """Cancel a queued job at once; ask a running one to stop at its next flush.

    Asking again, or asking a job that is already cancelled, changes nothing.

    Raises:
        NotFound: there is none (code ``job_not_found``).
        Conflict: it has succeeded or failed already (code ``job_already_ended``).
    """
    now = datetime.now(UTC)
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.project == project, Job.status == "queued")
        .values(status="cancelled", cancel_requested=True, finished_at=now, updated_at=now)
    )
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.project == project, Job.status == "running", Job.cancel_requested.is_(False))
        .values(cancel_requested=True, updated_at=now)
    )
    job = _found(project, job_id, session.get(Job, job_id, populate_existing=True))
    if job.status in ("succeeded", "failed"):
        raise Conflict("job_already_ended", f"The job has {job.status} already; there is nothing left to cancel.")
    return job


def _found(project: Project, job_id: str, job: Job | None) -> Job:
    if job is None or job.project != project:
        raise NotFound("job_not_found", f"There is no job {job_id}.")
    return job


def _owned(job_id: str, token: str) -> tuple[ColumnElement[bool], ...]:
    return Job.id == job_id, Job.token == token, Job.status == "running"


def _end(session: Session, job_id: str, token: str, status: Status, **values: str | None) -> None:
    now = datetime.now(UTC)
    ended = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(status=status, finished_at=now, updated_at=now, lease_expires_at=None, token=None, **values)
        .returning(Job.id)
    ).scalar_one_or_none()
    if ended is None:
        raise Superseded
