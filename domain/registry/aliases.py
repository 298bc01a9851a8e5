"""The aliases' repository: names that point to one version each, and are moved at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.projects import Project
from domain.registry import rows, versions
from domain.registry.history import Author, Step, record
from infra.errors import NotFound, PreconditionFailed
from infra.tables import ModelAlias, ModelVersion, RegisteredModel

_points_to = (ModelVersion.registered_id == ModelAlias.registered_id) & (ModelVersion.number == ModelAlias.version)


@dataclass(frozen=True)
class PointedAt:
    """An alias and the version that it points to."""

    alias: ModelAlias
    version: ModelVersion

    @property
    def etag(self) -> str:
        """Names the alias' state, as HTTP's ETag does. It is another one after each move, even one back."""
        return f'"{self.alias.revision}"'


@dataclass(frozen=True)
class Condition:
    """What state an alias must be in, or nothing is done.

    Attributes:
        etags: it must be in one of these; None for any.
        exists: whether there must be such an alias; None where that does not matter.
    """

    etags: frozenset[str] | None = None
    exists: bool | None = None


UNCONDITIONAL = Condition()


@dataclass(frozen=True)
class Moved:
    """An alias that has been moved.

    Attributes:
        now: where it points to.
        is_new: whether there was no such alias before.
    """

    now: PointedAt
    is_new: bool


def find(session: Session, registered: RegisteredModel, alias: str) -> PointedAt | None:
    """The registered model's alias of that name; None if there is none."""
    found = session.execute(
        select(ModelAlias, ModelVersion)
        .join(ModelVersion, _points_to)
        .where(ModelAlias.registered_id == registered.id, ModelAlias.alias == alias)
    ).one_or_none()
    return None if found is None else PointedAt(found[0], found[1])


def get(session: Session, registered: RegisteredModel, alias: str) -> PointedAt:
    """The registered model's alias of that name.

    Raises:
        NotFound: there is none (code ``alias_not_found``).
    """
    found = find(session, registered, alias)
    if found is None:
        raise NotFound("alias_not_found", f"{registered.name} has no alias {alias}.")
    return found


def list_of(session: Session, registered_ids: Sequence[str]) -> dict[str, list[PointedAt]]:
    """The aliases of each of some registered models, by its id and in the order of their names."""
    found = session.execute(
        select(ModelAlias, ModelVersion)
        .join(ModelVersion, _points_to)
        .where(ModelAlias.registered_id.in_(registered_ids))
        .order_by(ModelAlias.alias)
    )
    listed: dict[str, list[PointedAt]] = {each: [] for each in registered_ids}
    for alias, version in found:
        listed[alias.registered_id].append(PointedAt(alias, version))
    return listed


def move(
    session: Session,
    registered: RegisteredModel,
    alias: str,
    number: int,
    author: Author,
    condition: Condition = UNCONDITIONAL,
) -> Moved:
    """Have the alias point to that version of a registered model that is locked; it is made if there is none.

    If it points there already, nothing changes.

    Raises:
        NotFound: there is no such version (code ``version_not_found``).
        PreconditionFailed: the alias does not meet the condition (code ``alias_moved`` or ``alias_exists``).
    """
    now = find(session, registered, alias)
    _require(condition, registered, alias, now)
    version = versions.get(session, registered, number)
    if now is not None and now.version.number == number:
        return Moved(now, is_new=False)
    source = None if now is None else now.version.number
    event = record(session, registered, "alias_moved", author, Step(alias, source, number, version.model_id))
    row = now.alias if now is not None else ModelAlias(registered_id=registered.id, alias=alias)
    row.version, row.revision, row.moved_at = number, event.sequence, event.at
    session.add(row)
    session.flush()
    return Moved(PointedAt(row, version), is_new=now is None)


def delete(
    session: Session, project: Project, name: str, alias: str, author: Author, condition: Condition = UNCONDITIONAL
) -> None:
    """Remove an alias; the version that it points to stays.

    Raises:
        NotFound: there is none (code ``registered_model_not_found`` or ``alias_not_found``).
        PreconditionFailed: it does not meet the condition (code ``alias_moved``).
    """
    registered = rows.locked(session, project, name)
    pointed_at = get(session, registered, alias)
    _require(condition, registered, alias, pointed_at)
    source = pointed_at.version
    record(session, registered, "alias_deleted", author, Step(alias, source=source.number, model_id=source.model_id))
    session.delete(pointed_at.alias)
    session.flush()


def _require(condition: Condition, registered: RegisteredModel, alias: str, now: PointedAt | None) -> None:
    """Compare the alias' state with the condition.

    Raises:
        PreconditionFailed: they differ.
    """
    if condition.exists is False and now is not None:
        raise PreconditionFailed(
            "alias_exists", f"{registered.name} has an alias {alias}: it points to version {now.version.number}."
        )
    if now is None and (condition.exists or condition.etags is not None):
        raise PreconditionFailed("alias_moved", f"{registered.name} has no alias {alias}, or no longer.")
    if now is not None and condition.etags is not None and now.etag not in condition.etags:
        raise PreconditionFailed(
            "alias_moved",
            f"The alias {alias} has moved: it points to version {now.version.number}, and its state is {now.etag}.",
        )
