"""Under which names a model is registered, and what its page says of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from domain.access.projects import Project
from domain.registry import aliases, rows, versions

MOST_VERSIONS = 50
"""Versions of one model that its page shows."""


@dataclass(frozen=True)
class ModelAsVersion:
    """A version that the model is.

    Attributes:
        name: of the registered model.
        number: of the version.
        aliases: that point to it.
    """

    name: str
    number: int
    aliases: Sequence[str]


def versions_of(session: Session, project: Project, model_id: str) -> list[ModelAsVersion]:
    """The versions that the project's model is, at most `MOST_VERSIONS`."""
    places = [place.split("/") for place in versions.versions_of_models(session, [model_id]).get(model_id, [])]
    numbers = [(name, int(number)) for name, _, number in places[:MOST_VERSIONS]]
    registered = {name: rows.get(session, project, name) for name in dict.fromkeys(name for name, _ in numbers)}
    pointing = aliases.list_of(session, [each.id for each in registered.values()])
    return [
        ModelAsVersion(
            name,
            number,
            [each.alias.alias for each in pointing[registered[name].id] if each.version.number == number],
        )
        for name, number in numbers
    ]
