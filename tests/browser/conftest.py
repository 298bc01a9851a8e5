"""A real browser in front of `backprop serve`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from backprop_client import Backprop
from tests.support.serving import Served, serving

SCREEN = ViewportSize(width=1280, height=1000)

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service of its own, that anybody on this machine may ask."""
    with serving(tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture(scope="session")
def client(served: Served) -> Iterator[Backprop]:
    """What trains, for the pages to show."""
    with Backprop(base_url=served.url) as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none, the tests fail: `.ci/browser` installs it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained of: errors of scripts, what the policy forbids, what was not found."""
    return []


def opened(context: BrowserContext, complaints: list[str]) -> Page:
    """A page whose complaints are heard."""
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return page


@pytest.fixture
def page(browser: Browser, served: Served, complaints: list[str]) -> Iterator[Page]:
    """A browser window at the service. A test that has made it complain fails."""
    with browser.new_context(base_url=served.url, viewport=SCREEN) as context:
        yield opened(context, complaints)
    assert complaints == []


@pytest.fixture
def plain_page(browser: Browser, served: Served, complaints: list[str]) -> Iterator[Page]:
    """One in which no script runs."""
    with browser.new_context(base_url=served.url, viewport=SCREEN, java_script_enabled=False) as context:
        yield opened(context, complaints)
    assert complaints == []


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    """A table that a network learns in a moment."""
    path = tmp_path / "flowers.csv"
    rows = [f"{i % 7},{(i * i) % 11},{'tall' if i % 7 > 3 else 'short'}" for i in range(120)]
    path.write_text("leaf,petal,kind\n" + "\n".join(rows) + "\n")
    return path
