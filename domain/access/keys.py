"""The keys' repository: who may ask the API, for which project, and for what.

A key is ``<id>_<secret>``. The secret is 256 random bits, shown once; its SHA-256 is all that is stored. No salt and no
slow hash are needed, since nobody can guess 256 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from domain.access.projects import Project
from infra.errors import NotFound, Unauthenticated
from infra.ids import new_id
from infra.tables import Key

Scope = Literal["read", "train", "predict", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)

USUAL_SCOPES: tuple[Scope, ...] = ("read", "train", "predict")
"""A key may do this unless it is told otherwise: everything but to delete."""

_SECRET_BYTES = 32
_KEY = re.compile(r"(key_[0-9A-Z]{26})_([0-9a-f]{64})")


@dataclass(frozen=True)
class NewKey:
    """A key that has just been made: the only time that its text is known.

    Attributes:
        text: what the client sends.
        row: what is stored.
    """

    text: str
    row: Key


def create(session: Session, project: Project, scopes: Iterable[Scope], expires_at: datetime | None = None) -> NewKey:
    """Make a key.

    Args:
        session: of a writing transaction.
        project: what it gives access to.
        scopes: what it allows there.
        expires_at: from when on it is refused; None: never.
    """
    secret = new_secret()
    key = Key(
        id=new_id("key"),
        project=project,
        scopes=[scope for scope in SCOPES if scope in set(scopes)],
        secret_sha256=hashed(secret),
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return NewKey(f"{key.id}_{secret}", key)


def authenticate(session: Session, text: str) -> Key:
    """The key that a client has sent, from the database.

    Raises:
        Unauthenticated: there is no such key (code ``invalid_key``), or it is a key no more (``key_revoked``,
            ``key_expired``), which only its holder is told.
    """
    parts = _KEY.fullmatch(text)
    key = None if parts is None else session.get(Key, parts[1])
    if parts is None or key is None or not hmac.compare_digest(key.secret_sha256, hashed(parts[2])):
        raise Unauthenticated("invalid_key", "There is no such key.")
    refuse_if_over(key)
    return key


def refuse_if_over(key: Key) -> None:
    """Raise Unauthenticated if the key is a key no more (code ``key_revoked`` or ``key_expired``)."""
    if key.revoked_at is not None:
        raise Unauthenticated("key_revoked", "This key has been revoked.")
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise Unauthenticated("key_expired", "This key has expired.")


def is_over(key: Key) -> bool:
    """Whether the key is refused by now: it has been revoked or has expired."""
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= datetime.now(UTC))


def any_ever(session: Session) -> bool:
    """Whether a key has ever been made, be it revoked or expired by now."""
    return bool(session.scalar(select(exists(select(Key.id)))))


def any_active(session: Session) -> bool:
    """Whether there is a key that would be let in now."""
    active = select(Key.id).where(
        Key.revoked_at.is_(None), or_(Key.expires_at.is_(None), Key.expires_at > datetime.now(UTC))
    )
    return bool(session.scalar(select(exists(active))))


def list_all(session: Session, project: Project | None = None) -> Sequence[Key]:
    """The keys, oldest first, revoked and expired ones included; only those of one project where given."""
    query = select(Key).order_by(Key.id)
    if project is not None:
        query = query.where(Key.project == project)
    return session.scalars(query).all()


def revoke(session: Session, key_id: str) -> Key | None:
    """Refuse the key from now on; None if there is none. Doing so again changes nothing."""
    key = session.get(Key, key_id, with_for_update=True)
    if key is not None:
        _revoke(key)
    return key


def revoke_of_project(session: Session, project: Project, key_id: str) -> Key:
    """Refuse a key of the project from now on. Doing so again changes nothing.

    Raises:
        NotFound: the project has no key of that id (code ``key_not_found``).
    """
    key = session.get(Key, key_id, with_for_update=True)
    if key is None or key.project != project:
        raise NotFound("key_not_found", f"There is no key {key_id}.")
    _revoke(key)
    return key


def _revoke(key: Key) -> None:
    if key.revoked_at is None:
        key.revoked_at = datetime.now(UTC)


def new_secret() -> str:
    """A secret that nobody can guess, in hexadecimal."""
    return secrets.token_hex(_SECRET_BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
