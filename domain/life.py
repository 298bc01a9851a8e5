"""The life that jobs and queued predictions share: the statuses they go through, and how one worker at a time has one.

``queued → running → succeeded | failed | cancelled``. `TRANSITIONS` has every step. A step is two calls inside one
transaction: `hold` locks the row if the step is possible, `move` changes it. So of any number of processes that want to
move something on, one does.

A worker that claims something gets a token, and every later write of that attempt names both. When the row has another
token by then, the attempt has been superseded, and nothing is written.

Leases are given and compared by one clock, the database's (`infra.database.transaction_time`), however far those of
the hosts are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backprop_client.wire.jobs import EventKind, Status
from domain.access.projects import Project
from domain.webhooks.outbox import announce
from infra.database import transaction_time
from infra.errors import TooMany
from infra.tables import Job, QueuedPrediction

Lived = TypeVar("Lived", Job, QueuedPrediction)

FULL_QUEUE_SECONDS = 10
"""Seconds. A client with too much in the queue is told to try again after so long."""


class Superseded(Exception):
    """The attempt no longer owns what it claimed: that has ended, or another attempt has claimed it. Stop at once."""


@dataclass(frozen=True)
class Transition:
    """One step in a life.

    Attributes:
        sources: the statuses that it starts from; none: the life begins with it.
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
NOT_ENDED: tuple[Status, ...] = ("queued", "running")


def user_of(
    session: Session, project: Project, *needs: tuple[type[Job | QueuedPrediction], ColumnElement[bool]]
) -> str | None:
    """The id of one of the project's jobs or queued predictions that has not ended and needs something; or None.

    Args:
        session: of a transaction that has locked what is needed, so that nobody comes to need it meanwhile.
        project: whose.
        needs: tables, and which rows of each need it.
    """
    for table, needs_it in needs:
        user = session.scalar(
            select(table.id).where(table.project == project, table.status.in_(NOT_ENDED), needs_it).limit(1)
        )
        if user is not None:
            return user
    return None


def hold(session: Session, table: type[Lived], kind: EventKind, *conditions: ColumnElement[bool]) -> Lived | None:
    """The row that meets the conditions and can take that step, locked until the transaction ends; or None."""
    return session.scalar(
        select(table)
        .where(table.status.in_(TRANSITIONS[kind].sources), *conditions)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def move(session: Session, row: Job | QueuedPrediction, kind: EventKind, **values: Any) -> Any:  # noqa: ANN401
    """Take a step with a row that is locked; gives the moment, as `transaction_time` does.

    Args:
        session: of the transaction that holds it.
        row: a job's, or a queued prediction's.
        kind: which step.
        values: what else changes in the row.

    Raises:
        ValueError: its status is not one that the step starts from.
    """
    transition = TRANSITIONS[kind]
    if row.status not in transition.sources:
        raise ValueError(f"what is {row.status} cannot be {kind}")
    now = transaction_time(session)
    row.status = transition.target
    row.updated_at = now
    if transition.target != "running":
        row.token = row.lease_expires_at = None
        row.finished_at = now if transition.target in ENDED else None
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    if transition.target in ENDED:
        _announce_end(session, row)
    return now


def _announce_end(session: Session, row: Job | QueuedPrediction) -> None:
    if isinstance(row, Job):
        data = {"id": row.id, "name": row.name, "model_id": row.model_id, "error_code": row.error_code}
        announce(session, row.project, f"job.{row.status}", data)
    else:
        data = {"id": row.id, "model_id": row.model_id, "dataset_id": row.dataset_id, "error_code": row.error_code}
        announce(session, row.project, f"prediction.{row.status}", data)


def expired(session: Session, table: type[Lived]) -> Sequence[Lived]:
    """The running rows whose worker has not reported within its lease, locked until the transaction ends."""
    return session.scalars(
        select(table)
        .where(table.status == "running", table.lease_expires_at < transaction_time(session))
        .order_by(table.id)
        .with_for_update(skip_locked=True)  # somebody else is about to do the same, or the attempt has reported
    ).all()


def queued_ids(session: Session, table: type[Lived]) -> list[str]:
    """Every one that waits for a worker, the longest waiting first."""
    return list(session.scalars(select(table.id).where(table.status == "queued").order_by(table.id)))


def refuse_too_many(session: Session, project: Project, most: int) -> None:
    """Refuse another job or prediction of a project that has `most` queued ones. Call it in the transaction that adds.

    Raises:
        TooMany: code ``too_many_queued_jobs``.
    """
    if session.connection().dialect.name == "postgresql":  # on SQLite all writing transactions wait for each other
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(project))))
    queued = sum(
        session.scalar(select(func.count()).where(table.project == project, table.status == "queued")) or 0
        for table in (Job, QueuedPrediction)
    )
    if queued >= most:
        raise TooMany(
            "too_many_queued_jobs",
            f"{queued:,} jobs and predictions of this project wait for a worker, and this server queues no more than "
            f"{most:,} (BACKPROP_MAX_QUEUED_JOBS).",
            retry_after=FULL_QUEUE_SECONDS,
        )
