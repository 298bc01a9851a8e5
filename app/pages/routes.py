"""All pages, and what they load."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.pages.jobs.actions import router as job_actions_router
from app.pages.jobs.listing import router as job_list_router
from app.pages.learning.example import router as example_router
from app.pages.learning.lessons import router as lessons_router
from app.pages.learning.watching import router as watching_router
from app.pages.rendering import STATIC
from app.pages.sign_in import router as sign_in_router


def add_pages(app: FastAPI) -> None:
    """Make the app answer browsers."""
    for router in (
        sign_in_router,
        job_list_router,
        job_actions_router,
        example_router,
        lessons_router,
        watching_router,
    ):
        app.include_router(router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
