"""Signing in and out in a browser, with scripts and without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.serving import ROOT, Served, serving


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A service that asks for keys, and one of them."""
    data: Path = tmp_path_factory.mktemp("closed")
    with serving(data) as served:
        command = [sys.executable, "-m", "cli", "keys", "create", "--data", str(data), "--project", "default"]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        yield served, made.stdout.strip()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_key_is_typed_once(browser: Browser, closed: tuple[Served, str], scripts: bool) -> None:
    served, key = closed
    with browser.new_context(base_url=served.url, java_script_enabled=scripts) as context:
        page = context.new_page()
        page.goto("/?status=running")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("Key").fill("key_wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("There is no such key.")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
        assert page.url == f"{served.url}/?status=running"
        if scripts:
            assert key not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
