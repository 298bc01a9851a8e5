"""The steps of a job's life, and the events that tell of it.

The life is that of `domain.life`: which steps there are, and who may take them. A job's steps are recorded besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from backprop_client.wire.jobs import EventKind
from domain import captions, life
from domain.jobs.notes import notes_of
from domain.life import ENDED, TRANSITIONS, Superseded
from infra.database import changed, transaction_time
from infra.tables import EventNumber, Job, JobEvent


@dataclass(frozen=True)
class Owner:
    """An attempt that has claimed a job.

    Attributes:
        job_id: the job's id.
        token: what each write of this attempt must name.
    """

    job_id: str
    token: str

    @property
    def still_owns(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions on the job's row: it runs, and this attempt has it."""
        return Job.id == self.job_id, Job.token == self.token, Job.status == "running"


def add(session: Session, job: Job) -> None:
    """Record a new job, which is queued."""
    captions.index(session, job)
    session.add(job)
    session.flush()
    _record(session, job, "submitted", _Before(None, None), None, transaction_time(session))


def hold(session: Session, kind: EventKind, *conditions: ColumnElement[bool]) -> Job | None:
    """The job that meets the conditions and can take that step, locked until the transaction ends; or None."""
    return life.hold(session, Job, kind, *conditions)


def take(
    session: Session,
    job: Job,
    kind: EventKind,
    reason: str | None = None,
    *,
    metrics: Mapping[str, Any] | None = None,
    **values: Any,  # noqa: ANN401
) -> None:
    """Take a step with a job that is locked, and record the event.

    Args:
        session: of the transaction that holds the job.
        job: its row.
        kind: which step.
        reason: why: an error's code for a failure, else a sentence; None where the kind says it all.
        metrics: of the model that the job leaves if it ends, and leaves one.
        values: what else changes in the row.

    Raises:
        ValueError: the job's status is not one that the step starts from.
    """
    before = _Before(job.status, job.iteration)
    at = life.move(session, job, kind, **values)
    job.notes = notes_of(session, job, metrics) if job.status in ENDED else []
    session.flush()
    _record(session, job, kind, before, reason, at)


def take_as_owner(
    session: Session,
    owner: Owner,
    kind: EventKind,
    reason: str | None = None,
    *,
    metrics: Mapping[str, Any] | None = None,
    **values: Any,  # noqa: ANN401
) -> None:
    """Take a step with the job that this attempt owns; the arguments are those of `take`.

    Raises:
        Superseded: it does not own the job any more.
    """
    job = hold(session, kind, *owner.still_owns)
    if job is None:
        raise Superseded
    take(session, job, kind, reason, metrics=metrics, **values)


@dataclass(frozen=True)
class _Before:
    """A job before a step.

    Attributes:
        status: where it was; None: it was not there.
        iteration: the last one whose cost was recorded, if any was.
    """

    status: str | None
    iteration: int | None


def _record(
    session: Session,
    job: Job,
    kind: EventKind,
    before: _Before,
    reason: str | None,
    at: Any,  # noqa: ANN401
) -> None:
    """Add the event. The job's row is locked, so that no other event of the job gets the same sequence number."""
    last = session.scalar(select(func.max(JobEvent.sequence)).where(JobEvent.job_id == job.id)) or 0
    session.add(
        JobEvent(
            job_id=job.id,
            sequence=last + 1,
            kind=kind,
            from_status=before.status,
            to_status=TRANSITIONS[kind].target,
            at=at,
            attempt=job.attempt,
            reason=reason,
            iteration=before.iteration,
            number=_next_number(session),
        )
    )
    session.flush()
    changed(session, job.id, job.project)


def _next_number(session: Session) -> int:
    """The next number among the events of all jobs. Until this transaction ends, nobody else gets one.

    So take steps last in a transaction: who waits for another row with this number in hand may wait for one who waits
    for a number.
    """
    following = update(EventNumber).values(newest=EventNumber.newest + 1).returning(EventNumber.newest)
    return session.execute(following.execution_options(synchronize_session=False)).scalar_one()
