"""`POST /v1/registry/{name}@{alias}/predict` and `…/versions/{version}/predict`: as `app.v1.predict` has it for ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from app.access.dependencies import CanPredict
from app.dependencies import RegistryDep, ServicesDep, TrainedModelsDep
from app.shortcuts import Asked, Content, Shortcut
from app.v1.parameters import AliasPath, RegisteredNamePath, VersionPath
from app.v1.predicting import (
    DESCRIBED,
    Accept,
    FoundModel,
    UnknownInFile,
    Wishes,
    content_at_once,
    predicted,
)
from domain.access.projects import Project
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from domain.registry.predictors import find
from domain.registry.resolving import Reference

_PATHS: dict[str, TypeAdapter[Any]] = {
    "name": TypeAdapter(RegisteredNamePath),
    "alias": TypeAdapter(AliasPath),
    "version": TypeAdapter(VersionPath),
}
"""What the parameters of these paths must be."""


class _ByReference(NamedTuple):
    """The model that a name of the project means, by a version or an alias."""

    registry: RegistryCache
    trained_models: ModelCache
    project: Project
    reference: Reference

    def at_hand(self) -> FoundModel | None:
        resolved = self.registry.kept(self.project, self.reference)
        predictor = None if resolved is None else self.trained_models.at_hand(self.project, resolved.model_id)
        return None if resolved is None or predictor is None else FoundModel(resolved.model_id, predictor)

    def fetched(self) -> FoundModel:
        found = find(self.registry, self.trained_models, self.project, self.reference)
        return FoundModel(found.resolved.model_id, found.predictor)


def _at_once(path: Mapping[str, str], asked: Asked) -> Content | None:
    reference = Reference(**{name: _PATHS[name].validate_python(given) for name, given in path.items()})
    return content_at_once(
        asked,
        lambda app, project: _ByReference(app.state.registry, app.state.trained_models, project, reference),
    )


SHORTCUTS = (
    Shortcut(re.compile("/v1/registry/(?P<name>[^/]+)@(?P<alias>[^/]+)/predict"), _at_once),
    Shortcut(re.compile("/v1/registry/(?P<name>[^/]+)/versions/(?P<version>[^/]+)/predict"), _at_once),
)

router = APIRouter(prefix="/v1/registry", tags=["registry"])


@router.post("/{name}@{alias}/predict", operation_id="registry_predict_by_alias", **DESCRIBED)
async def predict_by_alias(
    name: RegisteredNamePath,
    alias: AliasPath,
    request: Request,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    services: ServicesDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions by the version that the alias points to now; the rows and the answer are as for a model's id.

    `model_id` in the answer tells which model has answered. An alias that is moved serves from the next request on,
    in other processes of the service within a second.
    """
    source = _ByReference(registry, trained_models, access.project, Reference(name, alias=alias))
    return await predicted(request, source, services, Wishes(unknown_categories, accept))


@router.post("/{name}/versions/{version}/predict", operation_id="registry_predict_by_version", **DESCRIBED)
async def predict_by_version(
    name: RegisteredNamePath,
    version: VersionPath,
    request: Request,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    services: ServicesDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions by the version of that number; the rows and the answer are as for a model's id."""
    source = _ByReference(registry, trained_models, access.project, Reference(name, version=version))
    return await predicted(request, source, services, Wishes(unknown_categories, accept))
