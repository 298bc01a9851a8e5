"""No form is taken that another site's page has had sent: every route that takes one looks for its token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.pages import forms
from app.pages.addresses import is_page
from infra.database import Database
from tests.support.keys import make_key
from tests.support.pages import refused, sent


def all_below(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from all_below(each)


def test_every_page_that_takes_a_form_looks_for_its_token(api: TestClient) -> None:
    taking = [
        route
        for route in api.app.routes  # type: ignore[attr-defined]
        if isinstance(route, APIRoute) and is_page(route.path) and route.methods != {"GET"}
    ]
    assert len(taking) > 20
    for route in taking:
        assert forms._form in all_below(route.dependant), route.path


@pytest.mark.parametrize("address", ["/keys", "/webhooks", "/registry", "/registry/n/aliases", "/datasets/ds_1/delete"])
def test_a_form_without_the_token_of_its_sign_in_is_refused(api: TestClient, database: Database, address: str) -> None:
    sent(api, "/sign-in", {"key": make_key(database, "default")})
    assert refused(sent(api, address, {"scope": "read"})) == (403, "form_not_ours")
