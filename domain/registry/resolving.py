"""Which model is meant by a name: the newest version under it, the version of a number, or where an alias points."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.projects import Project
from infra.errors import NotFound
from infra.tables import ModelAlias, ModelVersion, RegisteredModel


@dataclass(frozen=True)
class Reference:
    """What a client writes to name a model of the registry.

    Attributes:
        name: of the registered model.
        version: the number of a version; None for none in particular.
        alias: an alias; None for none. Not both are given. With neither, the newest version is meant.
    """

    name: str
    version: int | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Resolved:
    """The version that a reference means at one moment.

    Attributes:
        version: its number.
        model_id: its model, which is one of the same project.
    """

    version: int
    model_id: str


def resolve(session: Session, project: Project, reference: Reference) -> Resolved:
    """The version that the project means by the reference now.

    Raises:
        NotFound: there is no such registered model (code ``registered_model_not_found``), version
            (``version_not_found``) or alias (``alias_not_found``).
    """
    query = (
        select(ModelVersion.number, ModelVersion.model_id)
        .join(RegisteredModel, RegisteredModel.id == ModelVersion.registered_id)
        .where(RegisteredModel.project == project, RegisteredModel.name == reference.name)
        .order_by(ModelVersion.number.desc())
        .limit(1)
    )
    if reference.alias is not None:
        query = query.join(
            ModelAlias,
            (ModelAlias.registered_id == ModelVersion.registered_id) & (ModelAlias.version == ModelVersion.number),
        ).where(ModelAlias.alias == reference.alias)
    if reference.version is not None:
        query = query.where(ModelVersion.number == reference.version)
    found = session.execute(query).one_or_none()
    if found is None:
        raise _not_found(session, project, reference)
    return Resolved(found.number, found.model_id)


def _not_found(session: Session, project: Project, reference: Reference) -> NotFound:
    """What exactly is not there."""
    name = session.scalar(
        select(RegisteredModel.name).where(RegisteredModel.project == project, RegisteredModel.name == reference.name)
    )
    if name is None:
        return NotFound("registered_model_not_found", f"There is no registered model {reference.name}.")
    if reference.alias is not None:
        return NotFound("alias_not_found", f"{name} has no alias {reference.alias}.")
    if reference.version is not None:
        return NotFound("version_not_found", f"{name} has no version {reference.version}.")
    return NotFound("version_not_found", f"{name} has no version.")
