"""The model that a name of the registry means, ready to answer."""

from __future__ import annotations

from dataclasses import dataclass

from domain.access.projects import Project
from domain.models.cache import ModelCache
from domain.models.prediction import Predictor
from domain.registry.cache import RegistryCache
from domain.registry.resolving import Reference, Resolved
from infra.errors import NotFound


@dataclass(frozen=True)
class Found:
    """The version that a reference means, and its model.

    Attributes:
        resolved: the version.
        predictor: its model.
    """

    resolved: Resolved
    predictor: Predictor


def find(registry: RegistryCache, trained_models: ModelCache, project: Project, reference: Reference) -> Found:
    """The model that the reference means.

    What the reference meant half a second ago may have been deleted since, once it was moved: then it is asked again.

    Raises:
        NotFound: as `RegistryCache.resolve` does.
    """
    resolved = registry.resolve(project, reference)
    try:
        return Found(resolved, trained_models.get(project, resolved.model_id))
    except NotFound:
        registry.forget(project, reference)
        resolved = registry.resolve(project, reference)
        return Found(resolved, trained_models.get(project, resolved.model_id))
