"""What an attempt at a job writes: from the claim to the end. Each write is guarded by the attempt's `Owner`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.jobs import Status, StopReason
from backprop_client.wire.registration import Registered
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.jobs import checkpoints, cost_thinning, costs, snapshots
from domain.jobs.checkpoints import Part
from domain.jobs.transitions import Owner, hold, take, take_as_owner
from domain.life import Superseded
from infra.database import changed, lease_end, transaction_time
from infra.tables import CostRow, Job


@dataclass(frozen=True)
class Claim:
    """An attempt's right to run a job.

    Attributes:
        job: the job's row as claimed.
        owner: what each write of this attempt names.
        checkpoint: the iteration of the checkpoint to go on from; None to start at iteration 0.
    """

    job: Job
    owner: Owner
    checkpoint: int | None


def claim(session: Session, job_id: str, lease_seconds: float) -> Claim | None:
    """Take a queued job for this attempt; None when it is not (or no longer) queued.

    The lock on its row decides between any number of claimants. The same transaction removes the cost rows and the
    snapshots past the checkpoint, which this attempt will compute again, and takes the progress back to there.
    """
    job = hold(session, "started", Job.id == job_id)
    if job is None:
        return None
    owner = Owner(job_id, uuid4().hex)
    checkpoint = checkpoints.iteration_of(session, job_id)
    last_kept = -1 if checkpoint is None else checkpoint
    costs.remove_from(session, job_id, last_kept + 1)
    snapshots.remove_from(session, job_id, last_kept + 1)
    take(
        session,
        job,
        "started",
        None if checkpoint is None else f"It goes on from the checkpoint of iteration {checkpoint}.",
        attempt=job.attempt + 1,
        token=owner.token,
        started_at=transaction_time(session),
        iteration=checkpoint,
        thinned_before=cost_thinning.after_removal(job, last_kept + 1),
        cost=session.scalar(select(CostRow.cost).where(CostRow.job_id == job_id, CostRow.iteration == last_kept)),
        rate=None,
        lease_expires_at=lease_end(session, lease_seconds),
    )
    return Claim(job, owner, checkpoint)


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
def reporting(session: Session, owner: Owner, progress: Progress | None, lease_seconds: float) -> Iterator[bool]:
    """What a running attempt writes: inside, the job is this attempt's and stays so. After it, a whole lease begins.

    The job's row is locked first, so that nobody takes the job over while much is written. The lease is given last: it
    begins when everything has been written, not when the transaction does.

    Gives whether somebody asked to cancel.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    cancel_requested = session.scalar(select(Job.cancel_requested).where(*owner.still_owns).with_for_update())
    if cancel_requested is None:
        raise Superseded
    yield cancel_requested
    values: dict[str, Any] = {
        "lease_expires_at": lease_end(session, lease_seconds),
        "updated_at": transaction_time(session),
    }
    if progress is not None:
        values |= {"iteration": progress.iteration, "cost": progress.cost, "rate": progress.rate}
    session.execute(update(Job).where(*owner.still_owns).values(values).execution_options(synchronize_session=False))
    changed(session, owner.job_id)


def is_cancel_requested(session: Session, owner: Owner) -> bool:
    """Whether somebody asked to cancel, for an attempt that has nothing to write just now.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    cancel_requested = session.scalar(select(Job.cancel_requested).where(*owner.still_owns))
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


def record_gradient_check(session: Session, owner: Owner, result: dict[str, Any]) -> None:
    """Keep the result of the check that the job asked for. Raises `Superseded`: the job is no longer this attempt's."""
    _record(session, owner, gradient_check=result)


def record_row_counts(session: Session, owner: Owner, counts: dict[str, Any], job: ResolvedJob) -> None:
    """Keep what became of the dataset's rows, and the job as it is on so many.

    Raises `Superseded`: the job is no longer this attempt's.
    """
    spec, iterations = job.model_dump(mode="json"), job.training.iterations
    _record(session, owner, row_counts=counts, spec=spec, iterations=iterations)


def record_choice(session: Session, owner: Owner, job: ResolvedJob) -> None:
    """Keep how far the job's selection is, and what it has chosen. Raises `Superseded`: the job is no longer ours."""
    _record(session, owner, spec=job.model_dump(mode="json"), iterations=job.training.iterations)


def _record(session: Session, owner: Owner, **values: Any) -> None:  # noqa: ANN401
    recorded = session.execute(
        update(Job)
        .where(*owner.still_owns)
        .values(**values, updated_at=transaction_time(session))
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if recorded is None:
        raise Superseded
    changed(session, owner.job_id)


def hold_to_the_end(session: Session, owner: Owner) -> None:
    """Lock the job that this attempt is about to end, before anything else of the end is written.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    if hold(session, "succeeded", *owner.still_owns) is None:
        raise Superseded


def succeed(
    session: Session,
    owner: Owner,
    model_id: str,
    stopped_by: StopReason | None,
    metrics: Mapping[str, Any] | None = None,
    registered: Registered | None = None,
) -> None:
    """End the job well. Call it in the transaction that adds the model.

    Args:
        session: of that transaction.
        owner: the attempt.
        model_id: the model's id.
        stopped_by: what ended the training before its last iteration, if anything did.
        metrics: the model's.
        registered: what came of the model's registration, if the job asked for one; the event tells it, too.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    take_as_owner(
        session,
        owner,
        "succeeded",
        None if registered is None else registered.reason,
        metrics=metrics,
        model_id=model_id,
        stopped_by=stopped_by,
        registered=None if registered is None else registered.model_dump(),
    )


def fail(session: Session, owner: Owner, code: AnswerCode | FailureCode, message: str) -> None:
    """End the job with an error that its owner can read.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    take_as_owner(session, owner, "failed", code, error_code=code, error_message=message)


def cancel(session: Session, owner: Owner) -> None:
    """End a running job that somebody asked to cancel; its checkpoint stays.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    take_as_owner(session, owner, "cancelled")


def release(session: Session, owner: Owner, reason: str) -> Status:
    """Put a running job back into the queue, for another worker to go on from its checkpoint.

    A job that somebody asked to cancel is cancelled instead. Tells the job's status then.

    Raises:
        Superseded: the job is no longer this attempt's.
    """
    job = hold(session, "released", *owner.still_owns)
    if job is None:
        raise Superseded
    if job.cancel_requested:
        take(session, job, "cancelled")
        return "cancelled"
    take(session, job, "released", reason)
    return "queued"
