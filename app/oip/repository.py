"""`/v2/repository`: which models there are, and which of them are in memory."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.access.dependencies import CanPredict
from app.dependencies import DatabaseDep, RegistryDep, TrainedModelsDep
from app.errors import responses
from app.oip.errors import ADDRESS
from app.oip.parameters import Newest
from backprop_client.wire.oip.server import IndexEntry
from domain.inference import repository
from domain.inference.naming import find
from infra.errors import NotFound

router = APIRouter(prefix=f"{ADDRESS}/repository", tags=["open inference"])


@router.post("/index", responses=responses(path=ADDRESS), operation_id="inference_index")
def index(access: CanPredict, database: DatabaseDep) -> list[IndexEntry]:
    """Every version of the registered models, and the models by their ids; the newest 10,000 of each.

    A body is not looked at: it could only ask for those that are ready, and all are.
    """
    with database.reading() as session:
        return repository.index(session, access.project)


@router.post("/models/{model_name}/load", responses=responses(NotFound, path=ADDRESS), operation_id="inference_load")
def load(asked: Newest, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep) -> dict[str, Any]:
    """Read the newest version of a model into memory, so that no prediction waits for it. A body is not looked at."""
    find(registry, trained_models, access.project, asked)
    return {"name": asked.name, "load": True}


@router.post(
    "/models/{model_name}/unload", responses=responses(NotFound, path=ADDRESS), operation_id="inference_unload"
)
def unload(
    asked: Newest, access: CanPredict, registry: RegistryDep, trained_models: TrainedModelsDep
) -> dict[str, Any]:
    """Drop the newest version of a model from memory. Who asks it loads it again. A body is not looked at."""
    trained_models.forget(access.project, find(registry, trained_models, access.project, asked).model_id)
    return {"name": asked.name, "unload": True}
