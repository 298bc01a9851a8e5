"""All routes of the service."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, Depends
from starlette.routing import BaseRoute

from app.health import router as health_router
from app.oip import routes as open_inference
from app.pages import routes as pages
from app.v1 import predict, registered_predictions
from app.v1.datasets import router as datasets_router
from app.v1.events import router as events_router
from app.v1.exports import router as exports_router
from app.v1.jobs import router as jobs_router
from app.v1.models import router as models_router
from app.v1.networks import router as networks_router
from app.v1.predictions import router as predictions_router
from app.v1.registry import router as registry_router
from app.v1.unknown_parameters import refuse_unknown_parameters
from app.v1.webhooks import router as webhooks_router


@cache
def all_routes() -> tuple[BaseRoute, ...]:
    """The routes, which know nothing of a service's settings.

    They are made once in a process. FastAPI reads the parameters of all of them when the first request comes, which
    takes a fifth of a second; the tests make hundreds of applications, and each would pay for it.
    """
    every = APIRouter()
    for router in (
        predict.router,
        registered_predictions.router,
        datasets_router,
        networks_router,
        jobs_router,
        events_router,
        models_router,
        exports_router,
        predictions_router,
        registry_router,
        webhooks_router,
    ):
        every.include_router(router, dependencies=[Depends(refuse_unknown_parameters)])
    every.include_router(health_router)
    open_inference.add_routes(every)
    pages.add_pages(every)
    return tuple(every.routes)
