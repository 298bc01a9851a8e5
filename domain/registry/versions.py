"""The versions' repository: models under a registered model's name, numbered from 1 on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.projects import Project
from domain.models import rows as models
from domain.registry import rows
from domain.registry.history import Author, Step, record
from infra.database import clock
from infra.errors import Conflict, NotFound
from infra.paging import Page
from infra.tables import ModelAlias, ModelVersion, RegisteredModel


def create(
    session: Session,
    registered: RegisteredModel,
    model_id: str,
    author: Author,
    description: str | None = None,
    tags: Sequence[str] = (),
) -> ModelVersion:
    """Make a model the next version of a registered model that is locked.

    The number comes from the row that is locked, and is taken back if the transaction is: there are no gaps.

    Raises:
        NotFound: the project has no such model (code ``model_not_found``).
    """
    models.get_to_keep(session, Project(registered.project), model_id)
    registered.last_version += 1
    version = ModelVersion(
        registered_id=registered.id,
        number=registered.last_version,
        model_id=model_id,
        description=description,
        tags=list(tags),
        created_at=clock(session),
    )
    session.add(version)
    session.flush()
    record(session, registered, "version_created", author, Step(target=version.number, model_id=model_id))
    return version


def get(session: Session, registered: RegisteredModel, number: int) -> ModelVersion:
    """The registered model's version of that number.

    Raises:
        NotFound: there is none (code ``version_not_found``).
    """
    version = session.get(ModelVersion, (registered.id, number))
    if version is None:
        raise NotFound("version_not_found", f"{registered.name} has no version {number}.")
    return version


def list_page(session: Session, registered: RegisteredModel, after: int | None, limit: int) -> Page[ModelVersion]:
    """The registered model's versions, newest first; only those below the number `after` where it is given."""
    query = select(ModelVersion).where(ModelVersion.registered_id == registered.id)
    if after is not None:
        query = query.where(ModelVersion.number < after)
    found = list(session.scalars(query.order_by(ModelVersion.number.desc()).limit(limit + 1)))
    return Page(found[:limit], has_more=len(found) > limit)


def delete(session: Session, project: Project, name: str, number: int, author: Author) -> None:
    """Remove a version; its number does not come again, and its model stays.

    Raises:
        NotFound: there is none (code ``registered_model_not_found`` or ``version_not_found``).
        Conflict: aliases point to it (code ``version_has_aliases``).
    """
    registered = rows.locked(session, project, name)
    version = get(session, registered, number)
    pointing = session.scalars(
        select(ModelAlias.alias)
        .where(ModelAlias.registered_id == registered.id, ModelAlias.version == number)
        .order_by(ModelAlias.alias)
        .limit(10)
    ).all()
    if pointing:
        raise Conflict(
            "version_has_aliases",
            f"Aliases of {name} point to version {number}: {', '.join(pointing)}. Move or delete these first.",
        )
    record(session, registered, "version_deleted", author, Step(source=number, model_id=version.model_id))
    session.delete(version)
    session.flush()


def versions_of_models(session: Session, model_ids: Collection[str]) -> dict[str, list[str]]:
    """Which of these models are versions, and which ones they are, as ``name/versions/number``.

    A model that is to be deleted must be locked first (``FOR UPDATE``): then nobody makes it a version meanwhile.
    """
    found = session.execute(
        select(ModelVersion.model_id, RegisteredModel.name, ModelVersion.number)
        .join(RegisteredModel, RegisteredModel.id == ModelVersion.registered_id)
        .where(ModelVersion.model_id.in_(model_ids))
        .order_by(ModelVersion.registered_id, ModelVersion.number)
    )
    named: dict[str, list[str]] = {}
    for model_id, name, number in found:
        named.setdefault(model_id, []).append(f"{name}/versions/{number}")
    return named


def refuse_registered(session: Session, model_id: str) -> None:
    """Refuse to delete a model that is a version. The model's row must be locked.

    Raises:
        Conflict: it is one (code ``model_is_registered``).
    """
    named = versions_of_models(session, [model_id]).get(model_id, [])
    if named:
        raise Conflict(
            "model_is_registered", f"The model is registered as {', '.join(named[:10])}. Delete that version first."
        )
