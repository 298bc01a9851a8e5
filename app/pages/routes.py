"""All pages, and what they load."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.pages.rendering import STATIC

ROUTERS = (
    job_router,
)
"""The first route that takes a request has it: /jobs/new before /jobs/{id}."""


def add_pages(app: FastAPI) -> None:
    """Make the app answer browsers."""
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
