"""Which model an address of the protocol means: a model's id, or a registered name, with a version or an alias."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backprop_client.wire.registry import LARGEST_VERSION, NAME_PATTERN
from domain.access.projects import Project
from domain.inference.responses import Served
from domain.models.value_reading import shown
from domain.registry.cache import RegistryCache
from domain.registry.resolving import Reference
from infra.errors import NotFound

ONLY_VERSION = "1"
"""What the protocol calls the version of a model that is asked for by its id. Such a model never changes."""

_MODEL_ID = re.compile(r"mdl_[0-9A-Z]{26}")
_VERSION = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True)
class AskedModel:
    """A model as an address names it.

    Attributes:
        name: its first part: an id, or a registered name.
        version: its second part: a number or ``@alias``; None for none.
    """

    name: str
    version: str | None = None

    @property
    def is_id(self) -> bool:
        """Whether the name is a model's id. No registered name has that form."""
        return _MODEL_ID.fullmatch(self.name) is not None

    @property
    def reference(self) -> Reference:
        """What it means in the registry, unless it is an id.

        Raises:
            NotFound: there cannot be such a name (code ``model_not_found``), version (``version_not_found``) or alias
                (``alias_not_found``).
        """
        if not re.fullmatch(NAME_PATTERN, self.name):
            raise NotFound("model_not_found", f"There is no model {shown(self.name)}.")
        if self.version is None:
            return Reference(self.name)
        if self.version.startswith("@"):
            alias = self.version[1:]
            if not re.fullmatch(NAME_PATTERN, alias):
                raise NotFound("alias_not_found", f"{self.name} has no alias {shown(alias)}.")
            return Reference(self.name, alias=alias)
        if not _VERSION.fullmatch(self.version) or int(self.version) > LARGEST_VERSION:
            raise NotFound("version_not_found", f"{self.name} has no version {shown(self.version)}.")
        return Reference(self.name, version=int(self.version))


@dataclass(frozen=True)
class FoundModel:
    """A model that an address means at one moment.

    Attributes:
        model_id: of the model.
        served: how answers name it.
    """

    model_id: str
    served: Served


def known(registry: RegistryCache, project: Project, asked: AskedModel) -> FoundModel | None:
    """The model that is meant, if no database need be asked for that; else None. It never waits.

    An id is taken at its word: whether the project has such a model is not looked at.

    Raises:
        NotFound: there cannot be such a model.
    """
    if asked.is_id:
        if asked.version not in (None, ONLY_VERSION):
            raise NotFound(
                "version_not_found", f"{asked.name} is a model's id: it has the version {ONLY_VERSION} only."
            )
        return FoundModel(asked.name, Served(asked.name, ONLY_VERSION))
    kept = registry.kept(project, asked.reference)
    return None if kept is None else FoundModel(kept.model_id, Served(asked.name, str(kept.version)))


def find(registry: RegistryCache, project: Project, asked: AskedModel) -> FoundModel:
    """The model that is meant, be it the database that knows.

    Raises:
        NotFound: there is none.
    """
    found = known(registry, project, asked)
    if found is not None:
        return found
    resolved = registry.resolve(project, asked.reference)
    return FoundModel(resolved.model_id, Served(asked.name, str(resolved.version)))
