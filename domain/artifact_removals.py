"""Artifacts that are to be removed. None is ever forgotten.

An artifact goes after the transaction that removes the row which names it: no row may name what is gone. That same
transaction writes down what is to go. What could not be removed at once, since the process died or the store was away,
is removed later by whoever cleans up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from infra.artifacts import ArtifactStore
from infra.database import Database, clock
from infra.errors import Unavailable
from infra.tables import ArtifactRemoval

LATE = timedelta(minutes=1)
"""What was to be removed so long ago is taken to be forgotten by whoever wrote it down."""

_AT_ONCE = 500
"""Keys. One statement has so many."""


def add(session: Session, keys: Sequence[str]) -> None:
    """Write down what is to be removed, in the transaction that removes the row which names it."""
    now = clock(session)
    for start in range(0, len(keys), _AT_ONCE):
        rows = [{"key": key, "since": now} for key in keys[start : start + _AT_ONCE]]
        session.execute(insert(ArtifactRemoval), rows)


def carry_out(database: Database, artifacts: ArtifactStore, keys: Sequence[str]) -> None:
    """Remove what has been written down, once that is committed. What cannot be removed now is left for later."""
    try:
        _carry_out(database, artifacts, keys)
    except Unavailable:
        return


def carry_out_late_ones(database: Database, artifacts: ArtifactStore) -> int:
    """Remove what others have left; tells how many artifacts that were.

    Raises:
        Unavailable: the store or the database cannot be used right now.
    """
    count = 0
    while keys := _late(database):
        _carry_out(database, artifacts, keys)
        count += len(keys)
    return count


def any_late(session: Session) -> bool:
    """Whether there is something that others have left."""
    query = select(ArtifactRemoval.key).where(ArtifactRemoval.since < clock(session) - LATE).limit(1)
    return session.scalar(query) is not None


def _late(database: Database) -> list[str]:
    with database.reading() as session:
        query = select(ArtifactRemoval.key).where(ArtifactRemoval.since < clock(session) - LATE)
        return list(session.scalars(query.order_by(ArtifactRemoval.key).limit(_AT_ONCE)))


def _carry_out(database: Database, artifacts: ArtifactStore, keys: Sequence[str]) -> None:
    for key in keys:
        artifacts.delete(key)
    with database.writing() as session:
        for start in range(0, len(keys), _AT_ONCE):
            session.execute(delete(ArtifactRemoval).where(ArtifactRemoval.key.in_(keys[start : start + _AT_ONCE])))
