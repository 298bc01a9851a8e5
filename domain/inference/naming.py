"""Which model an address of the protocol means: a model's id, or a registered name, with a version or an alias."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backprop_client.wire.registry import LARGEST_VERSION, NAME_PATTERN
from domain.access.projects import Project
from domain.inference.responses import Served
from domain.models.cache import ModelCache
from domain.models.prediction import Predictor
from domain.models.value_reading import shown
from domain.registry import predictors
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
    def only_version(self) -> str:
        """The version of an id.

        Raises:
            NotFound: the address names another one (code ``version_not_found``).
        """
        if self.version not in (None, ONLY_VERSION):
            raise NotFound("version_not_found", f"{self.name} is a model's id: it has the version {ONLY_VERSION} only.")
        return ONLY_VERSION

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
        predictor: it, ready to answer.
    """

    model_id: str
    served: Served
    predictor: Predictor


def kept(registry: RegistryCache, trained_models: ModelCache, project: Project, asked: AskedModel) -> FoundModel | None:
    """The model that is meant, if both its name and itself are in memory; else None. It never waits.

    Raises:
        NotFound: there cannot be such a model.
    """
    if asked.is_id:
        model_id, version = asked.name, asked.only_version
    else:
        resolved = registry.kept(project, asked.reference)
        if resolved is None:
            return None
        model_id, version = resolved.model_id, str(resolved.version)
    predictor = trained_models.at_hand(project, model_id)
    return None if predictor is None else FoundModel(model_id, Served(asked.name, version), predictor)


def find(registry: RegistryCache, trained_models: ModelCache, project: Project, asked: AskedModel) -> FoundModel:
    """The model that is meant, be it the database that knows.

    Raises:
        NotFound: there is none.
    """
    if asked.is_id:
        version = asked.only_version
        return FoundModel(asked.name, Served(asked.name, version), trained_models.get(project, asked.name))
    found = predictors.find(registry, trained_models, project, asked.reference)
    return FoundModel(found.resolved.model_id, Served(asked.name, str(found.resolved.version)), found.predictor)
