"""The idempotency records' repository: a creating request that is repeated under its key creates nothing more.

Whoever brings a new key owns it for as long as a lease that is renewed, like an attempt at a job. The answer is kept in
the transaction that creates the thing, guarded by a token: either both are there or neither is, and of two processes
that both believe to own the key one can commit. A refusal is not kept, since it has created nothing. Leases go by the
database's clock, as those of attempts do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from domain.access.projects import Project
from infra.database import clock, lease_end
from infra.errors import Conflict, InvalidRequest
from infra.tables import IdempotencyRecord as Record

LEASE_SECONDS = 15.0
"""Seconds. A process that has not renewed its ownership for so long is taken to be dead."""

_MOST_REMOVED = 100
"""Records. One request clears away so many that have expired."""


@dataclass(frozen=True)
class Answer:
    """What a creating request is answered with.

    Attributes:
        status: HTTP's.
        body: JSON.
        headers: those of its own: Location, Retry-After.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ownership:
    """The right to answer the request of a key.

    Attributes:
        project: whose key it is.
        key: as the client sent it.
        token: what each write must name.
    """

    project: Project
    key: str
    token: str


def begin(session: Session, project: Project, key: str, fingerprint: str, keep_hours: float) -> Ownership | Answer:
    """Take the key for this request; or give the answer that the same request has already got.

    Args:
        session: of a writing transaction, to be committed before the work begins.
        project: whose key it is.
        key: as the client sent it.
        fingerprint: SHA-256 of what is asked.
        keep_hours: how long the answer will be kept.

    Raises:
        InvalidRequest: the key has come with another request (code ``idempotency_key_reused``).
        Conflict: the request is being worked on right now (code ``request_in_progress``).
    """
    now = clock(session)
    mine = {
        "fingerprint": fingerprint,
        "token": uuid4().hex,
        "lease_expires_at": now + timedelta(seconds=LEASE_SECONDS),
        "status": None,
        "headers": None,
        "body": None,
        "expires_at": now + timedelta(hours=keep_hours),
    }
    ownership = Ownership(project, key, str(mine["token"]))
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    inserted = session.execute(
        dialect.insert(Record).values(project=project, key=key, **mine).on_conflict_do_nothing().returning(Record.key)
    ).scalar_one_or_none()
    if inserted is not None:
        _remove_expired(session, now)
        return ownership
    record = session.get(Record, (project, key), with_for_update=True, populate_existing=True)
    if record is None:  # its owner has just given it up
        raise _in_progress()
    is_free = record.expires_at <= now if record.status is not None else record.lease_expires_at <= now
    if is_free:
        session.execute(update(Record).where(*_of(project, key)).values(mine))
        return ownership
    if record.fingerprint != fingerprint:
        raise InvalidRequest(
            "idempotency_key_reused", "This Idempotency-Key has come with another request; every request needs its own."
        )
    if record.status is None:
        raise _in_progress()
    return Answer(record.status, record.body or b"", dict(record.headers or {}))


def complete(session: Session, ownership: Ownership, answer: Answer) -> None:
    """Keep the answer. Call it in the transaction that creates what is answered with.

    Raises:
        Conflict: the key is owned by somebody else by now (code ``request_in_progress``): create nothing.
    """
    completed = session.execute(
        update(Record)
        .where(*_owned(ownership))
        .values(status=answer.status, headers=answer.headers, body=answer.body)
        .returning(Record.key)
    ).scalar_one_or_none()
    if completed is None:
        raise _in_progress()


def renew(session: Session, ownership: Ownership) -> None:
    """Tell that the owner is alive."""
    lease_expires_at = lease_end(session, LEASE_SECONDS)
    session.execute(
        update(Record)
        .where(*_owned(ownership))
        .values(lease_expires_at=lease_expires_at)
        .execution_options(synchronize_session=False)
    )


def give_up(session: Session, ownership: Ownership) -> None:
    """Free the key, unless its request has been answered."""
    session.execute(delete(Record).where(*_owned(ownership)))


def _remove_expired(session: Session, now: datetime) -> None:
    """Clear some old records away, those that nobody else is clearing away."""
    expired = session.execute(
        select(Record.project, Record.key)
        .where(Record.expires_at <= now, or_(Record.status.is_not(None), Record.lease_expires_at <= now))
        .limit(_MOST_REMOVED)
        .with_for_update(skip_locked=True)
    ).all()
    if expired:
        session.execute(
            delete(Record)
            .where(tuple_(Record.project, Record.key).in_([tuple(row) for row in expired]))
            .execution_options(synchronize_session=False)
        )


def _of(project: Project, key: str) -> tuple[ColumnElement[bool], ...]:
    return Record.project == project, Record.key == key


def _owned(ownership: Ownership) -> tuple[ColumnElement[bool], ...]:
    return *_of(ownership.project, ownership.key), Record.token == ownership.token, Record.status.is_(None)


def _in_progress() -> Conflict:
    return Conflict(
        "request_in_progress", "The request with this Idempotency-Key is being worked on; ask again.", retry_after=1
    )
