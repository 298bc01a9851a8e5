"""What tests read of a page."""

from __future__ import annotations

import re
from html import unescape

from fastapi.testclient import TestClient

from app.access.cookies import COOKIE, token_of


def problem_at(html: str, name: str) -> str:
    """What a page says is wrong with a field; empty if nothing is."""
    found = re.search(rf'<p class="problem" id="problem-{re.escape(name)}"[^>]*>(.*?)</p>', html, re.DOTALL)
    assert found is not None, f"there is no place for what is wrong with {name}"
    return unescape(found[1])


def ticked(html: str, name: str) -> list[str]:
    """The values of the ticked boxes of that name."""
    boxes = re.findall(r'<input type="checkbox" name="([^"]*)" value="([^"]*)"[^>]*?( checked)?>', html)
    return [unescape(value) for box, value, checked in boxes if box == name and checked]


def value_of(html: str, name: str) -> str:
    """What a text field holds."""
    found = re.search(rf'<input[^>]* name="{re.escape(name)}" value="([^"]*)"', html)
    assert found is not None, f"there is no field {name}"
    return unescape(found[1])


def copied(html: str, what: str) -> str:
    """A text that a page shows to be copied."""
    found = re.search(rf'<pre[^>]* data-copy="{re.escape(what)}">(.*?)</pre>', html, re.DOTALL)
    assert found is not None, f"there is no {what} to copy"
    return unescape(found[1])


def sign_in(api: TestClient, key: str) -> str:
    """Sign in as a browser does; gives the token that forms bring."""
    answer = api.post("/sign-in", data={"key": key}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return token_of(answer.cookies[COOKIE])
