"""Keys for tests, made as `backprop keys create` makes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.access import keys
from domain.access.keys import SCOPES, Scope
from domain.access.projects import Project
from infra.database import Database


def make_key(
    database: Database, project: str, scopes: Iterable[Scope] = SCOPES, expires_at: datetime | None = None
) -> str:
    """A key's text; by default it may do everything."""
    with database.writing() as session:
        return keys.create(session, Project(project), scopes, expires_at).text


def bearing(key: str) -> dict[str, str]:
    """The header that a client with that key sends."""
    return {"Authorization": f"Bearer {key}"}


def id_of(key: str) -> str:
    """What the key is called where its secret is not to be told."""
    return key.rpartition("_")[0]
