"""Every page, in light and dark, wide and narrow: nothing keeps anybody from reading it, and nothing sticks out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from backprop_client import Backprop
from tests.browser.conftest import SCREEN, opened
from tests.support.serving import Served

PAGES = [
    "/",
    "/sign-in",
    "/jobs/new",
    "/jobs/new?dataset={dataset}",
    "/jobs/{job}",
    "/jobs/{job}/example",
    "/jobs/{job}/learn",
    "/compare?job={job}&job={other}",
    "/models",
    "/models/{model}?column=leaf",
    "/models/{model}/inside",
    "/datasets",
    "/datasets/{dataset}",
    "/registry",
    "/registry/flowers",
    "/webhooks",
    "/webhooks/{webhook}",
    "/keys",
    "/learn",
    "/jobs/nobodys",
]
NOT_FOUND = "/jobs/nobodys"
PHONE = ViewportSize(width=390, height=800)


@pytest.fixture(scope="module")
def ids(client: Backprop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Things that pages are about, by what their addresses call them."""
    path: Path = tmp_path_factory.mktemp("tables") / "flowers.csv"
    rows = [f"{i % 7},{(i * i) % 11},{'tall' if i % 7 > 3 else 'short'}" for i in range(120)]
    path.write_text("leaf,petal,kind\n" + "\n".join(rows) + "\n")
    first = client.train(path, target="kind", holdout=0.2, tags=["red"])
    second = client.train(path, target="petal", task="regression", hidden=[3])
    for job in (first, second):
        job.wait(progress=False)
    told = first.refresh().data
    client.registry.create(name="flowers")
    client.registry.create_version("flowers", model_id=told.model_id or "")
    webhook = client.webhooks.create(url="https://receiver.example/told")
    return {
        "job": first.id,
        "other": second.id,
        "dataset": told.dataset_id,
        "model": told.model_id or "",
        "webhook": webhook.id,
    }


@pytest.fixture(params=["light", "dark"])
def window(request: pytest.FixtureRequest, browser: Browser, served: Served, complaints: list[str]) -> Iterator[Page]:
    """A browser window, once as readers by day have it and once as those by night."""
    scheme: Literal["light", "dark"] = request.param
    with browser.new_context(base_url=served.url, viewport=SCREEN, color_scheme=scheme) as context:
        yield opened(context, complaints)


@pytest.mark.parametrize("address", PAGES)
def test_anybody_can_read_it(window: Page, ids: dict[str, str], address: str, complaints: list[str]) -> None:
    window.goto(address.format(**ids))
    found = Axe().run(window, options={"resultTypes": ["violations"]})
    told = [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found.response["violations"]]
    assert told == []
    if address != NOT_FOUND:  # of which the browser says that it was not found
        assert complaints == []


@pytest.mark.parametrize("address", PAGES)
def test_it_fits_on_a_phone(browser: Browser, served: Served, ids: dict[str, str], address: str) -> None:
    with browser.new_context(base_url=served.url, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(address.format(**ids))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
