"""`POST /v1/registry/{name}@{alias}/predict` and `…/versions/{version}/predict`: as `app.v1.predict` has it for ids."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from app.access.dependencies import CanPredict
from app.access.gate import Access
from app.dependencies import RegistryDep, ServicesDep, SettingsDep, TrainedModelsDep
from app.errors import responses
from app.v1.parameters import AliasPath, RegisteredNamePath, VersionPath
from app.v1.predict import FILE_ANSWERS, FILE_BODY, Accept, Asked, FileRoute, UnknownInFile, answer_file, answer_rows
from backprop_client.wire.models import PredictionRequest, PredictionResponse
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from domain.registry.predictors import find
from domain.registry.resolving import Reference
from infra.errors import NotAcceptable, NotFound, TooLarge, Unavailable

router = APIRouter(prefix="/v1/registry", tags=["registry"])

_BY_ALIAS = "/{name}@{alias}/predict"
_BY_VERSION = "/{name}/versions/{version}/predict"
_RESPONSES = {**responses(NotFound, NotAcceptable, TooLarge, Unavailable), **FILE_ANSWERS}


async def predict_file_by_alias(
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
    """Predictions for the rows of a file, by the version that the alias points to."""
    asked = _finding(Reference(name, alias=alias), access, registry, trained_models)
    return await answer_file(asked, request, services, unknown_categories, accept)


async def predict_file_by_version(
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
    """Predictions for the rows of a file, by the version of that number."""
    asked = _finding(Reference(name, version=version), access, registry, trained_models)
    return await answer_file(asked, request, services, unknown_categories, accept)


# Before the next ones: the first route that takes a request has it. In the document the two are one.
for path, endpoint in ((_BY_ALIAS, predict_file_by_alias), (_BY_VERSION, predict_file_by_version)):
    router.add_api_route(path, endpoint, methods=["POST"], include_in_schema=False, route_class_override=FileRoute)


@router.post(
    _BY_ALIAS,
    response_model=PredictionResponse,
    responses=_RESPONSES,
    openapi_extra=FILE_BODY,
)
def predict_by_alias(
    name: RegisteredNamePath,
    alias: AliasPath,
    body: PredictionRequest,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    settings: SettingsDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions by the version that the alias points to now; the rows and the answer are as for a model's id.

    `model_id` in the answer tells which model has answered. An alias that is moved serves from the next request on,
    in other processes of the service within a second.
    """
    asked = _finding(Reference(name, alias=alias), access, registry, trained_models)
    return answer_rows(asked, body, settings, unknown_categories, accept)


@router.post(
    _BY_VERSION,
    response_model=PredictionResponse,
    responses=_RESPONSES,
    openapi_extra=FILE_BODY,
)
def predict_by_version(
    name: RegisteredNamePath,
    version: VersionPath,
    body: PredictionRequest,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    settings: SettingsDep,
    unknown_categories: UnknownInFile = None,
    accept: Accept = None,
) -> Response:
    """Predictions by the version of that number; the rows and the answer are as for a model's id."""
    asked = _finding(Reference(name, version=version), access, registry, trained_models)
    return answer_rows(asked, body, settings, unknown_categories, accept)


def _finding(
    reference: Reference, access: Access, registry: RegistryCache, trained_models: ModelCache
) -> Callable[[], Asked]:
    """What finds the model of that name."""

    def asked() -> Asked:
        there = find(registry, trained_models, access.project, reference)
        return Asked(there.resolved.model_id, there.predictor)

    return asked
