"""No form is taken that another site's page has had sent: every route that takes one looks for its token."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

import app.pages
from app.access.cookies import SAFE_METHODS
from app.pages import forms
from app.pages.addresses import is_page
from app.pages.new_job.data import UPLOAD
from infra.database import Database
from tests.support.keys import make_key
from tests.support.pages import refused, sent


def all_below(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from all_below(each)


def routes_that_change_something() -> Iterator[APIRoute]:
    """Those of all pages."""
    for module in pkgutil.walk_packages(app.pages.__path__, "app.pages."):
        router = getattr(importlib.import_module(module.name), "router", None)
        for route in getattr(router, "routes", ()):
            if isinstance(route, APIRoute) and not (route.methods or set()) <= SAFE_METHODS:
                yield route


ROUTES = [route for route in routes_that_change_something() if route.path != UPLOAD]
"""But for the one whose body is written down as it comes: what that does about its token is tested in `new_job`."""


@pytest.mark.parametrize("route", ROUTES, ids=[route.path for route in ROUTES])
def test_every_page_that_takes_a_form_looks_for_its_token(route: APIRoute) -> None:
    assert is_page(route.path)
    assert forms._form in all_below(route.dependant)


@pytest.mark.parametrize("address", ["/keys", "/webhooks", "/registry", "/registry/n/aliases", "/datasets/ds_1/delete"])
def test_a_form_without_the_token_of_its_sign_in_is_refused(api: TestClient, database: Database, address: str) -> None:
    sent(api, "/sign-in", {"key": make_key(database, "default")})
    assert refused(sent(api, address, {"scope": "read"})) == (403, "form_not_ours")
