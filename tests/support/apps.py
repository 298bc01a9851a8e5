"""The API in this process."""

from __future__ import annotations

from fastapi import FastAPI

from app.main import create_app
from infra.settings import Settings


def open_app(settings: Settings) -> FastAPI:
    """The API as a user has it on a machine of their own: without keys, until one is made."""
    return create_app(settings, frozenset({"testserver"}))
