"""A job's life: the statuses it goes through, who may move it on, and the events that tell of it.

``queued → running → succeeded | failed | cancelled``. `TRANSITIONS` has every step. A step is two calls inside one
transaction: `hold` locks the job's row if the step is possible, `take` changes the row and records the event. So of any
number of processes that want to move a job on, one does.

A worker that claims a job gets a token, and every later write of that attempt names both (`Owner`). When the row has
another token by then, the attempt has been superseded, and nothing is written.

Leases are given and compared by one clock, the database's (`infra.database.transaction_time`), however far those of
the hosts are apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backprop_client.wire.jobs import EventKind, Status
from domain.jobs.notes import notes_of
from infra.database import transaction_time
from infra.tables import Job, JobEvent


class Superseded(Exception):
    """The attempt no longer owns the job: it has ended, or another attempt has claimed it. Stop at once."""


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


@dataclass(frozen=True)
class Transition:
    """One step in a job's life.

    Attributes:
        sources: the statuses that it starts from; none: the job begins with it.
        target: the status that it leads to.
    """

    sources: tuple[Status, ...]
    target: Status


TRANSITIONS: dict[EventKind, Transition] = {
    "submitted": Transition((), "queued"),
    "started": Transition(("queued",), "running"),
    "released": Transition(("running",), "queued"),
    "lost": Transition(("running",), "queued"),
    "cancel_requested": Transition(("running",), "running"),
    "succeeded": Transition(("running",), "succeeded"),
    "failed": Transition(("running",), "failed"),
    "cancelled": Transition(("queued", "running"), "cancelled"),
    "resumed": Transition(("succeeded", "failed", "cancelled"), "queued"),
}
"""Every step, by the kind of its event."""

ENDED: tuple[Status, ...] = ("succeeded", "failed", "cancelled")


def add(session: Session, job: Job) -> None:
    """Record a new job, which is queued."""
    session.add(job)
    session.flush()
    _record(session, job, "submitted", None, None, transaction_time(session))


def hold(session: Session, kind: EventKind, *conditions: ColumnElement[bool]) -> Job | None:
    """The job that meets the conditions and can take that step, locked until the transaction ends; or None."""
    return session.scalar(
        select(Job)
        .where(Job.status.in_(TRANSITIONS[kind].sources), *conditions)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


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
    transition = TRANSITIONS[kind]
    source = job.status
    if source not in transition.sources:
        raise ValueError(f"a job that is {source} cannot be {kind}")
    now = transaction_time(session)
    job.status = transition.target
    job.updated_at = now
    if transition.target != "running":
        job.token = job.lease_expires_at = None
        job.finished_at = now if transition.target in ENDED else None
    for name, value in values.items():
        setattr(job, name, value)
    job.notes = notes_of(session, job, metrics) if transition.target in ENDED else []
    session.flush()
    _record(session, job, kind, source, reason, now)


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


def _record(
    session: Session,
    job: Job,
    kind: EventKind,
    source: str | None,
    reason: str | None,
    at: Any,  # noqa: ANN401
) -> None:
    """Add the event. The job's row is locked, so that no other event of the job gets the same number."""
    last = session.scalar(select(func.max(JobEvent.sequence)).where(JobEvent.job_id == job.id)) or 0
    session.add(
        JobEvent(
            job_id=job.id,
            sequence=last + 1,
            kind=kind,
            from_status=source,
            to_status=TRANSITIONS[kind].target,
            at=at,
            attempt=job.attempt,
            reason=reason,
        )
    )
    session.flush()
