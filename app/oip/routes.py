"""All routes of the protocol. Their parameters are not checked: its clients send what other servers may know."""

from __future__ import annotations

from fastapi import APIRouter

from app.oip.health import router as health_router
from app.oip.inference import router as inference_router
from app.oip.repository import router as repository_router
from app.oip.server import router as server_router
from app.oip.statistics import router as statistics_router


def add_routes(every: APIRouter) -> None:
    """Add everything under `/v2`."""
    # The first route that takes a request has it: /v2/models/stats before /v2/models/{model_name}.
    for router in (inference_router, health_router, statistics_router, server_router, repository_router):
        every.include_router(router)
