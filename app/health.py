"""`GET /healthz` and `GET /readyz`, for container engines and load balancers."""

from __future__ import annotations

from fastapi import APIRouter

from app.dependencies import DatabaseDep, QueueDep
from app.errors import responses
from backprop_client.wire.health import Health
from infra.errors import Unavailable

router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="health_live")
def healthz() -> Health:
    """Tell that the process is up."""
    return Health()


@router.get("/readyz", responses=responses(Unavailable), operation_id="health_ready")
def readyz(database: DatabaseDep, queue: QueueDep) -> Health:
    """Tell that the database and Redis answer; 503 with the one that does not otherwise."""
    database.ping()
    queue.ping()
    return Health()
