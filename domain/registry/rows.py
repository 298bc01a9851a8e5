"""The registered models' repository: names under which models follow each other.

Whoever changes anything under a name locks the registered model's row first. So numbers of versions and of events have
no gaps, and an alias is moved by one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from domain.access.projects import Project
from domain.registry.history import Author, record
from infra.database import clock
from infra.errors import Conflict, NotFound
from infra.ids import new_id
from infra.paging import Page, page
from infra.tables import ModelAlias, ModelVersion, RegisteredModel


def create(
    session: Session,
    project: Project,
    name: str,
    author: Author,
    description: str | None = None,
    tags: Sequence[str] = (),
) -> RegisteredModel:
    """Make a registered model, locked until the transaction ends.

    Raises:
        Conflict: the project has one of that name (code ``name_taken``).
    """
    registered = _inserted(session, project, name, description, tags)
    if registered is None:
        raise Conflict("name_taken", f"There is a registered model {name} already.")
    record(session, registered, "created", author)
    return registered


def get(session: Session, project: Project, name: str) -> RegisteredModel:
    """The project's registered model of that name.

    Raises:
        NotFound: there is none (code ``registered_model_not_found``).
    """
    return _found(name, session.scalar(_by_name(project, name)))


def locked(session: Session, project: Project, name: str) -> RegisteredModel:
    """The project's registered model of that name; nobody else changes it until the transaction ends.

    Raises:
        NotFound: there is none (code ``registered_model_not_found``).
    """
    return _found(name, _lock(session, project, name))


def locked_or_created(session: Session, project: Project, name: str, author: Author) -> RegisteredModel:
    """The project's registered model of that name, made if there is none; locked until the transaction ends."""
    while True:
        there = _lock(session, project, name)
        if there is not None:
            return there
        made = _inserted(session, project, name, None, ())
        if made is not None:
            record(session, made, "created", author)
            return made
        # Somebody else has made it meanwhile, or has even deleted it again.


def list_page(session: Session, project: Project, after: str | None, limit: int) -> Page[RegisteredModel]:
    """The project's registered models, newest first."""
    return page(session, RegisteredModel, project, after=after, limit=limit)


def change(session: Session, registered: RegisteredModel, author: Author, values: Mapping[str, Any]) -> None:
    """Change a registered model that is locked.

    Args:
        session: of the transaction that holds it.
        registered: its row.
        author: who changes it.
        values: the new description or tags, or both; nothing is recorded where there are none.
    """
    if not values:
        return
    for column, value in values.items():
        setattr(registered, column, value)
    registered.updated_at = clock(session)
    record(session, registered, "changed", author)


def delete(session: Session, project: Project, name: str, author: Author) -> None:
    """Remove a registered model with its versions. Their models stay, and so does the history of the name.

    Raises:
        NotFound: there is none (code ``registered_model_not_found``).
        Conflict: aliases of it point to versions (code ``registered_model_has_aliases``).
    """
    registered = locked(session, project, name)
    aliases = session.scalars(
        select(ModelAlias.alias).where(ModelAlias.registered_id == registered.id).order_by(ModelAlias.alias).limit(10)
    ).all()
    if aliases:
        raise Conflict(
            "registered_model_has_aliases",
            f"{name} has aliases that point to versions: {', '.join(aliases)}. Delete these first.",
        )
    record(session, registered, "deleted", author)
    session.execute(delete_from(ModelVersion).where(ModelVersion.registered_id == registered.id))
    session.delete(registered)
    session.flush()


def _inserted(
    session: Session, project: Project, name: str, description: str | None, tags: Sequence[str]
) -> RegisteredModel | None:
    """A new registered model; None if there is one of that name. On PostgreSQL this waits for who is making one."""
    now: datetime = clock(session)
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    inserted: RegisteredModel | None = session.scalar(
        dialect.insert(RegisteredModel)
        .values(
            id=new_id("reg"),
            project=project,
            name=name,
            description=description,
            tags=list(tags),
            last_version=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(RegisteredModel)
    )
    return inserted


def _lock(session: Session, project: Project, name: str) -> RegisteredModel | None:
    return session.scalar(_by_name(project, name).with_for_update().execution_options(populate_existing=True))


def _by_name(project: Project, name: str) -> Select[RegisteredModel]:
    return select(RegisteredModel).where(RegisteredModel.project == project, RegisteredModel.name == name)


def _found(name: str, registered: RegisteredModel | None) -> RegisteredModel:
    if registered is None:
        raise NotFound("registered_model_not_found", f"There is no registered model {name}.")
    return registered
