"""What an attempt at a queued prediction writes: from the claim to the end. Each write is guarded by its `Owner`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from backprop_client.wire.error_codes import AnswerCode, FailureCode
from backprop_client.wire.jobs import Status
from domain import life
from domain.life import Superseded
from infra.database import lease_end, transaction_time
from infra.tables import QueuedPrediction


@dataclass(frozen=True)
class Owner:
    """An attempt that has claimed a queued prediction.

    Attributes:
        prediction_id: the prediction's id.
        token: what each write of this attempt must name.
    """

    prediction_id: str
    token: str

    @property
    def still_owns(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions on the row: it runs, and this attempt has it."""
        return (
            QueuedPrediction.id == self.prediction_id,
            QueuedPrediction.token == self.token,
            QueuedPrediction.status == "running",
        )


@dataclass(frozen=True)
class Claim:
    """An attempt's right to make predictions.

    Attributes:
        prediction: the row as claimed.
        owner: what each write of this attempt names.
    """

    prediction: QueuedPrediction
    owner: Owner


def claim(session: Session, prediction_id: str, lease_seconds: float) -> Claim | None:
    """Take a queued prediction for this attempt; None when it is not (or no longer) queued.

    What earlier attempts have stored stays: this one goes on after it.
    """
    row = life.hold(session, QueuedPrediction, "started", QueuedPrediction.id == prediction_id)
    if row is None:
        return None
    owner = Owner(prediction_id, uuid4().hex)
    life.move(
        session,
        row,
        "started",
        attempt=row.attempt + 1,
        token=owner.token,
        started_at=transaction_time(session),
        rate=None,
        lease_expires_at=lease_end(session, lease_seconds),
    )
    return Claim(row, owner)


def owned(session: Session, owner: Owner) -> QueuedPrediction:
    """The row as it is now.

    Raises:
        Superseded: it is no longer this attempt's.
    """
    row = session.scalar(select(QueuedPrediction).where(*owner.still_owns))
    if row is None:
        raise Superseded
    return row


def renew(session: Session, owner: Owner, lease_seconds: float) -> bool:
    """Begin a whole lease; tells whether somebody asked to cancel. Raises `Superseded` as `owned` does."""
    return _written(session, owner, lease_expires_at=lease_end(session, lease_seconds))


def report(
    session: Session, owner: Owner, rows_done: int, unknown: Mapping[str, int], rate: float, lease_seconds: float
) -> bool:
    """Say that a part has been stored, and begin a whole lease. An attempt that gets somewhere has not crashed.

    Tells whether somebody asked to cancel.

    Args:
        session: of a writing transaction.
        owner: the attempt.
        rows_done: those up to the end of the part.
        unknown: how many values up to there were categories that are not known, by column.
        rate: rows a second of this attempt.
        lease_seconds: the length of a lease.

    Raises:
        Superseded: the prediction is no longer this attempt's.
    """
    return _written(
        session,
        owner,
        rows_done=rows_done,
        unknown=dict(unknown),
        rate=rate,
        crashes=0,
        updated_at=transaction_time(session),
        lease_expires_at=lease_end(session, lease_seconds),
    )


def _written(session: Session, owner: Owner, **values: Any) -> bool:  # noqa: ANN401
    cancel_requested = session.execute(
        update(QueuedPrediction)
        .where(*owner.still_owns)
        .values(**values)
        .returning(QueuedPrediction.cancel_requested)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if cancel_requested is None:
        raise Superseded
    return cancel_requested


def succeed(session: Session, owner: Owner) -> None:
    """End it well: all parts are stored. Raises `Superseded` as `owned` does."""
    life.move(session, _held(session, owner), "succeeded")


def fail(session: Session, owner: Owner, code: AnswerCode | FailureCode, message: str) -> None:
    """End it with an error that its owner can read. Raises `Superseded` as `owned` does."""
    life.move(session, _held(session, owner), "failed", error_code=code, error_message=message)


def cancel(session: Session, owner: Owner) -> None:
    """End one that somebody asked to cancel. Raises `Superseded` as `owned` does."""
    life.move(session, _held(session, owner), "cancelled")


def release(session: Session, owner: Owner) -> Status:
    """Put it back into the queue, for another worker to go on after the last part; cancel it if that was asked.

    Tells the status then. Raises `Superseded` as `owned` does.
    """
    row = _held(session, owner)
    status: Status = "cancelled" if row.cancel_requested else "queued"
    life.move(session, row, "cancelled" if row.cancel_requested else "released")
    return status


def _held(session: Session, owner: Owner) -> QueuedPrediction:
    row = life.hold(session, QueuedPrediction, "succeeded", *owner.still_owns)
    if row is None:
        raise Superseded
    return row


def recover(session: Session, max_crashes: int) -> None:
    """Take running predictions from workers that have not reported within their lease, as is done with jobs."""
    for row in life.expired(session, QueuedPrediction):
        crashes = row.crashes + 1
        if row.cancel_requested:
            life.move(session, row, "cancelled", crashes=crashes)
        elif crashes >= max_crashes:
            message = (
                f"The worker died {crashes} times at the same rows, those after row {row.rows_done:,}, most likely for "
                "lack of memory."
            )
            life.move(session, row, "failed", crashes=crashes, error_code="worker_lost", error_message=message)
        else:
            life.move(session, row, "lost", crashes=crashes)
