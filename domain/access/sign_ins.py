"""Sign-ins: a person types a key into a browser once, and the browser holds something else from then on.

What it holds is ``<id>_<secret>``, like a key, and only the SHA-256 of the secret is stored. It does what its key may,
and ends with it.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from domain.access import keys
from infra.errors import Unauthenticated
from infra.ids import new_id
from infra.tables import Key, SignIn

LASTS = timedelta(days=7)
"""From the moment the key was typed. Whoever works with it every week types it every week."""

_SIGN_IN = re.compile(r"(sin_[0-9A-Z]{26})_([0-9a-f]{64})")


@dataclass(frozen=True)
class NewSignIn:
    """A sign-in that has just begun: the only time that its text is known.

    Attributes:
        text: what the browser holds.
        expires_at: from when on it is refused.
    """

    text: str
    expires_at: datetime


def begin(session: Session, key_text: str) -> NewSignIn:
    """Sign in with a key. Those that are over are forgotten on this occasion.

    Args:
        session: of a writing transaction.
        key_text: as it was typed.

    Raises:
        Unauthenticated: as `domain.access.keys.authenticate` does.
    """
    key = keys.authenticate(session, key_text)
    now = datetime.now(UTC)
    session.execute(delete(SignIn).where(SignIn.expires_at <= now))
    secret = keys.new_secret()
    expires_at = now + LASTS if key.expires_at is None else min(now + LASTS, key.expires_at)
    sign_in = SignIn(
        id=new_id("sin"), key_id=key.id, secret_sha256=keys.hashed(secret), created_at=now, expires_at=expires_at
    )
    session.add(sign_in)
    session.flush()
    return NewSignIn(f"{sign_in.id}_{secret}", expires_at)


def key_of(session: Session, text: str) -> Key:
    """The key that a browser has signed in with.

    Raises:
        Unauthenticated: there is no such sign-in, or it is over (code ``sign_in_ended``); or its key is a key no more
            (``key_revoked``, ``key_expired``).
    """
    sign_in = _found(session, text)
    if sign_in is None or sign_in.expires_at <= datetime.now(UTC):
        raise Unauthenticated("sign_in_ended", "This sign-in has ended: sign in again.")
    key = session.get_one(Key, sign_in.key_id)
    keys.refuse_if_over(key)
    return key


def end(session: Session, text: str) -> None:
    """Sign out. Whoever has signed out already may do so again."""
    sign_in = _found(session, text)
    if sign_in is not None:
        session.delete(sign_in)


def _found(session: Session, text: str) -> SignIn | None:
    parts = _SIGN_IN.fullmatch(text)
    sign_in = None if parts is None else session.get(SignIn, parts[1])
    if parts is None or sign_in is None or not hmac.compare_digest(sign_in.secret_sha256, keys.hashed(parts[2])):
        return None
    return sign_in
