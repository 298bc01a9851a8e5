"""All pages, and what they load."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles

from app.pages.datasets.routes import router as dataset_pages_router
from app.pages.jobs.actions import router as job_actions_router
from app.pages.jobs.compare import router as compare_router
from app.pages.jobs.curves import router as job_curves_router
from app.pages.jobs.listing import router as job_list_router
from app.pages.jobs.one import router as job_router
from app.pages.keys.managing import router as key_pages_router
from app.pages.learning.example import router as example_router
from app.pages.learning.lessons import router as lessons_router
from app.pages.learning.watching import router as watching_router
from app.pages.models.routes import routers as model_routers
from app.pages.new_job.data import router as new_data_router
from app.pages.new_job.job import router as new_job_router
from app.pages.registry.routes import router as registry_pages_router
from app.pages.rendering import STATIC
from app.pages.sign_in import router as sign_in_router
from app.pages.webhooks.routes import router as webhook_pages_router

ROUTERS = (
    sign_in_router,
    job_list_router,
    job_actions_router,
    new_data_router,
    new_job_router,
    job_curves_router,
    job_router,
    compare_router,
    example_router,
    lessons_router,
    watching_router,
    *model_routers,
    dataset_pages_router,
    registry_pages_router,
    webhook_pages_router,
    key_pages_router,
)
"""The first route that takes a request has it: /jobs/new before /jobs/{id}."""


def add_pages(every: APIRouter) -> None:
    """Add everything that browsers ask for."""
    for router in ROUTERS:
        every.include_router(router, include_in_schema=False)
    every.mount("/static", StaticFiles(directory=STATIC))
