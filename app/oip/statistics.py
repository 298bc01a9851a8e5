"""`GET /v2/…/stats`: what models have been asked through this process since it began."""

from __future__ import annotations

from fastapi import APIRouter

from app.access.dependencies import CanPredict
from app.dependencies import InferenceStatisticsDep, RegistryDep, TrainedModelsDep
from app.errors import responses
from app.oip.errors import ADDRESS
from app.oip.parameters import Newest, Version
from backprop_client.wire.oip.server import Statistics
from domain.inference.naming import find
from infra.errors import NotFound

router = APIRouter(prefix=f"{ADDRESS}/models", tags=["open inference"])
# This is included before the router that has /v2/models/{model_name}: the first route that takes a request has it.


@router.get("/stats", responses=responses(path=ADDRESS), operation_id="inference_statistics")
async def all_statistics(access: CanPredict, statistics: InferenceStatisticsDep) -> Statistics:
    """What the project's models have been asked, those that have been asked anything."""
    return Statistics(model_stats=statistics.of_project(access.project))


@router.get(
    "/{model_name}/stats", responses=responses(NotFound, path=ADDRESS), operation_id="inference_model_statistics"
)
def model_statistics(
    asked: Newest,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    statistics: InferenceStatisticsDep,
) -> Statistics:
    """What the newest version of a model has been asked."""
    found = find(registry, trained_models, access.project, asked)
    return Statistics(model_stats=[statistics.of_model(access.project, found.served)])


@router.get(
    "/{model_name}/versions/{model_version}/stats",
    responses=responses(NotFound, path=ADDRESS),
    operation_id="inference_version_statistics",
)
def version_statistics(
    asked: Version,
    access: CanPredict,
    registry: RegistryDep,
    trained_models: TrainedModelsDep,
    statistics: InferenceStatisticsDep,
) -> Statistics:
    """What a version of a model has been asked."""
    found = find(registry, trained_models, access.project, asked)
    return Statistics(model_stats=[statistics.of_model(access.project, found.served)])
