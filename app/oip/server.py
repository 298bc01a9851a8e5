"""`GET /v2`: what runs here, which models there are, and what each takes and gives."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from app.access.admission import Access
from app.access.dependencies import CanPredict
from app.dependencies import DatabaseDep, RegistryDep, TrainedModelsDep
from app.errors import responses
from app.oip.errors import ADDRESS
from app.oip.parameters import Newest, Version
from backprop_client.wire.oip.server import ModelMetadata, ModelNames, ModelReady, ServerMetadata
from domain.inference import repository
from domain.inference.naming import AskedModel, find
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from infra.database import Database
from infra.errors import NotFound

router = APIRouter(prefix=ADDRESS, tags=["open inference"])


@router.get("", responses=responses(path=ADDRESS), operation_id="inference_server")
async def server_metadata(_access: CanPredict) -> ServerMetadata:
    """What runs here, and which parts of the protocol it knows."""
    return ServerMetadata(name="backprop", version=version("backprop"))


@router.get("/models", responses=responses(path=ADDRESS), operation_id="inference_models")
def model_names(access: CanPredict, database: DatabaseDep) -> ModelNames:
    """What the project's models can be asked by: registered names, then ids; the newest 10,000 of each."""
    with database.reading() as session:
        return ModelNames(models=repository.names(session, access.project))


@router.get(
    "/models/{model_name}",
    responses=responses(NotFound, path=ADDRESS),
    response_model_exclude_none=True,
    operation_id="inference_model",
)
def model_metadata(
    asked: Newest, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep, database: DatabaseDep
) -> ModelMetadata:
    """The versions of a model, and the tensors that its newest takes and gives."""
    return _metadata(asked, access, registry, trained_models, database)


@router.get(
    "/models/{model_name}/versions/{model_version}",
    responses=responses(NotFound, path=ADDRESS),
    response_model_exclude_none=True,
    operation_id="inference_version",
)
def version_metadata(
    asked: Version, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep, database: DatabaseDep
) -> ModelMetadata:
    """The versions of a model, and the tensors that this one takes and gives."""
    return _metadata(asked, access, registry, trained_models, database)


@router.get(
    "/models/{model_name}/ready", responses=responses(NotFound, path=ADDRESS), operation_id="inference_model_ready"
)
def model_ready(
    asked: Newest, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep
) -> ModelReady:
    """Tell that a model can be asked; 404 if there is none. It is loaded."""
    return _ready(asked, access, registry, trained_models)


@router.get(
    "/models/{model_name}/versions/{model_version}/ready",
    responses=responses(NotFound, path=ADDRESS),
    operation_id="inference_version_ready",
)
def version_ready(
    asked: Version, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep
) -> ModelReady:
    """Tell that a version of a model can be asked; 404 if there is none. It is loaded."""
    return _ready(asked, access, registry, trained_models)


def _metadata(
    asked: AskedModel, access: Access, registry: RegistryCache, trained_models: ModelCache, database: Database
) -> ModelMetadata:
    found = find(registry, trained_models, access.project, asked)
    with database.reading() as session:
        versions = repository.versions(session, access.project, asked)
        whole = repository.whole_columns(session, found.model_id)
    return repository.metadata(asked.name, versions, found.predictor, whole)


def _ready(asked: AskedModel, access: Access, registry: RegistryCache, trained_models: ModelCache) -> ModelReady:
    find(registry, trained_models, access.project, asked)
    return ModelReady(name=asked.name)
