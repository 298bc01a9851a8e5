"""`GET /v2/health/…`: as `/healthz` and `/readyz`, in the protocol's words. Predictions need no Redis."""

from __future__ import annotations

from fastapi import APIRouter

from app.dependencies import DatabaseDep
from app.errors import responses
from app.oip.errors import ADDRESS
from backprop_client.wire.oip.server import Live, Ready
from infra.errors import Unavailable

router = APIRouter(prefix=f"{ADDRESS}/health", tags=["open inference"])


@router.get("/live", operation_id="inference_live")
async def live() -> Live:
    """Tell that the process is up."""
    return Live()


@router.get("/ready", responses=responses(Unavailable, path=ADDRESS), operation_id="inference_ready")
def ready(database: DatabaseDep) -> Ready:
    """Tell that models can be asked; 503 otherwise."""
    database.ping()
    return Ready()
