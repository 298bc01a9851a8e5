"""All pages about models, and the pictures and forms on them."""

from __future__ import annotations

from app.pages.models.actions import router as actions_router
from app.pages.models.inside import router as inside_router
from app.pages.models.listing import router as listing_router
from app.pages.models.model import router as model_router
from app.pages.models.predicting import router as predicting_router
from app.pages.models.surfaces import router as surfaces_router

routers = (listing_router, model_router, inside_router, surfaces_router, predicting_router, actions_router)
