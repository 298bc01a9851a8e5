"""All pages about datasets."""

from __future__ import annotations

from fastapi import APIRouter

from app.pages.datasets import actions, listing, single

router = APIRouter()
for each in (listing, single, actions):
    router.include_router(each.router)
