"""The jobs' repository: every change of a job's status, each one guarded so that it happens at most once.

``queued → running → succeeded | failed | cancelled``. A worker that claims a job gets a token, and every later
write of that attempt names it: when the row carries another token by then, the attempt has been superseded and
nothing is written.

Leases are given and compared by one clock, the database's (`infra.database.moment`), however far those of the hosts
are apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.jobs import Status, StopReason
from domain.access.projects import Project
from domain.jobs import checkpoints, costs
from domain.jobs.checkpoints import Part
from infra.database import lease_end, moment
from infra.errors import Conflict, FieldError, InvalidRequest, NotFound, TooMany
from infra.paging import Page, page
from infra.tables import Cost, Job

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
        checkpoint: the iteration of the checkpoint to go on from; None to start at iteration 0.
    """

    job: Job
    token: str
    checkpoint: int | None


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
    past the checkpoint, which this attempt will compute again, and takes the progress back to there.
    """
    token = uuid4().hex
    now = moment(session)
    claimed = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == "queued")
        .values(status="running", attempt=Job.attempt + 1, token=token, started_at=now, updated_at=now)
        .returning(Job)
    ).scalar_one_or_none()
    if claimed is None:
        return None
    checkpoint = checkpoints.iteration_of(session, job_id)
    last_kept = -1 if checkpoint is None else checkpoint
    costs.remove_from(session, job_id, last_kept + 1)
    claimed.iteration = checkpoint
    claimed.cost = session.scalar(select(Cost.cost).where(Cost.job_id == job_id, Cost.iteration == last_kept))
    claimed.rate = None
    claimed.lease_expires_at = lease_end(session, lease_seconds)
    session.flush()
    return Claim(claimed, token, checkpoint)


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


@contextmanager
def reporting(
    session: Session, job_id: str, token: str, progress: Progress | None, lease_seconds: float
) -> Iterator[bool]:
    """What a running attempt writes: inside, the job is this attempt's and stays so, and gives a whole lease after it.

    The job's row is locked first, so that nobody takes the job over while much is written. The lease is given last: it
    begins when everything has been written, not when the transaction does.

    Gives whether somebody asked to cancel.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    cancel_requested = session.scalar(select(Job.cancel_requested).where(*_owned(job_id, token)).with_for_update())
    if cancel_requested is None:
        raise Superseded
    yield cancel_requested
    values: dict[str, Any] = {"lease_expires_at": lease_end(session, lease_seconds), "updated_at": moment(session)}
    if progress is not None:
        values |= {"iteration": progress.iteration, "cost": progress.cost, "rate": progress.rate}
    session.execute(
        update(Job).where(*_owned(job_id, token)).values(values).execution_options(synchronize_session=False)
    )


def is_cancel_requested(session: Session, job_id: str, token: str) -> bool:
    """Whether somebody asked to cancel, for an attempt that has nothing to write just now.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    cancel_requested = session.scalar(select(Job.cancel_requested).where(*_owned(job_id, token)))
    if cancel_requested is None:
        raise Superseded
    return cancel_requested


def save_checkpoint(session: Session, job_id: str, part: Part) -> None:
    """Write a part of a checkpoint. Call it inside `reporting`.

    A checkpoint further on than the last one shows that the job gets somewhere: crashes before it count no more.
    """
    if checkpoints.write(session, job_id, part):
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.crashes > 0)
            .values(crashes=0)
            .execution_options(synchronize_session=False)
        )


def record_gradient_check(session: Session, job_id: str, token: str, result: dict[str, Any]) -> None:
    """Keep the result of the check that the job asked for.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    recorded = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(gradient_check=result, updated_at=moment(session))
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


def fail(session: Session, job_id: str, token: str, code: AnswerCode | FailureCode, message: str) -> None:
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


def release(session: Session, job_id: str, token: str) -> Status:
    """Put a running job back into the queue, for another worker to go on from its checkpoint.

    A job that somebody asked to cancel is cancelled instead. Tells the job's status then.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    now = moment(session)
    released = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(
            status=case((Job.cancel_requested, "cancelled"), else_="queued"),
            finished_at=case((Job.cancel_requested, now), else_=None),
            token=None,
            lease_expires_at=None,
            updated_at=now,
        )
        .returning(Job.status)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if released is None:
        raise Superseded
    return "cancelled" if released == "cancelled" else "queued"


def recover(session: Session, max_crashes: int) -> None:
    """Take running jobs from workers that have not reported within their lease.

    They are queued again, but a job that somebody asked to cancel is cancelled, and one that has lost its worker
    `max_crashes` times without a new checkpoint in between fails with the code ``worker_lost``.
    """
    now = moment(session)
    expired = session.scalars(
        select(Job)
        .where(Job.status == "running", Job.lease_expires_at < now)
        .order_by(Job.id)
        .with_for_update(skip_locked=True)  # somebody else is about to do the same, or the attempt has reported
    )
    for job in expired:
        job.token = job.lease_expires_at = None
        job.updated_at = now
        job.crashes += 1
        if job.cancel_requested:
            job.status, job.finished_at = "cancelled", now
        elif job.crashes >= max_crashes:
            _fail("worker_lost", _lost_message(job.crashes), job)
            job.finished_at = now
        else:
            job.status = "queued"


def _fail(code: FailureCode, message: str, job: Job) -> None:
    job.status, job.error_code, job.error_message = "failed", code, message


def _lost_message(crashes: int) -> str:
    return (
        f"The worker died {crashes} times while it had this job, each time before the next checkpoint, most likely for "
        "lack of memory. Try a smaller network or fewer rows; POST /v1/jobs/{id}/resume tries this one again."
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
    job = _locked(session, project, job_id)
    if job.status in ("succeeded", "failed"):
        raise Conflict("job_already_ended", f"The job has {job.status} already; there is nothing left to cancel.")
    if not job.cancel_requested:
        job.cancel_requested = True
        job.updated_at = moment(session)
        if job.status == "queued":
            job.status, job.finished_at = "cancelled", moment(session)
        session.flush()
    return job


def resume(session: Session, project: Project, job_id: str, iterations: int | None) -> Job:
    """Queue a job that has ended, to go on from its checkpoint.

    Args:
        session: of a transaction that also holds the job's dataset against deletion.
        project: whose job it is.
        job_id: which job.
        iterations: how many it is to have in all from now on; None for as many as before.

    Raises:
        NotFound: there is none (code ``job_not_found``).
        Conflict: it is queued or running (``job_not_ended``), has diverged and would do so again (``job_diverged``), or
            it has done all these iterations or stopped by itself (``nothing_left_to_train``).
        InvalidRequest: it has come further than that already (``too_few_iterations``).
    """
    job = _locked(session, project, job_id)
    total = job.iterations if iterations is None else iterations
    reached = checkpoints.iteration_of(session, job_id) or 0
    _check_resumable(job, total, reached)
    job.status = "queued"
    job.iterations = total
    job.spec = {**job.spec, "training": {**job.spec["training"], "iterations": total}}
    job.crashes = 0
    job.cancel_requested = False
    job.error_code = job.error_message = job.stopped_by = job.finished_at = None
    job.updated_at = moment(session)
    session.flush()
    return job


def _check_resumable(job: Job, total: int, reached: int) -> None:
    if job.status in ("queued", "running"):
        raise Conflict("job_not_ended", f"The job is {job.status}: it goes on by itself.")
    if job.error_code == "diverged":
        raise Conflict(
            "job_diverged",
            "The job would diverge again at the same iteration. Start a new one with what its error suggests.",
        )
    if job.stopped_by is not None:
        raise Conflict(
            "nothing_left_to_train",
            f"The training has ended by itself ({job.stopped_by}), and would at once again, whatever the number of "
            "iterations. A new job can start from its model (from_model_id).",
        )
    if job.status == "succeeded" and total <= job.iterations:
        raise Conflict(
            "nothing_left_to_train",
            f"The job has done its {job.iterations} iterations. Ask for more in all: iterations beyond that.",
        )
    if total < reached:
        message = f"The job has done {reached} iterations already: iterations is the number in all, at least that."
        raise InvalidRequest("too_few_iterations", message, (FieldError("/iterations", message),))


def _locked(session: Session, project: Project, job_id: str) -> Job:
    """The project's job of that id; nobody else changes it until the transaction ends."""
    return _found(project, job_id, session.get(Job, job_id, with_for_update=True, populate_existing=True))


def _found(project: Project, job_id: str, job: Job | None) -> Job:
    if job is None or job.project != project:
        raise NotFound("job_not_found", f"There is no job {job_id}.")
    return job


def _owned(job_id: str, token: str) -> tuple[ColumnElement[bool], ...]:
    return Job.id == job_id, Job.token == token, Job.status == "running"


def _end(session: Session, job_id: str, token: str, status: Status, **values: str | None) -> None:
    now = moment(session)
    ended = session.execute(
        update(Job)
        .where(*_owned(job_id, token))
        .values(status=status, finished_at=now, updated_at=now, lease_expires_at=None, token=None, **values)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if ended is None:
        raise Superseded
