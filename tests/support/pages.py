"""Short ways to ask for pages and to send their forms as a browser does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from app.access.cookies import COOKIE, token_of

HOSTILE = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


def shown(api: TestClient, address: str, **more: Any) -> str:  # noqa: ANN401
    """The HTML of a page that must be there."""
    response = api.get(address, follow_redirects=False, **more)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    return response.text


def sent(api: TestClient, address: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Response:  # noqa: ANN401
    """The answer to a form."""
    return api.post(address, data=dict(fields or {}), follow_redirects=False, **more)


def led_to(response: Response) -> str:
    """Where the answer to a form sends the browser, which it must do."""
    assert response.status_code == 303, response.text
    return response.headers["location"]


def refused(response: Response) -> tuple[int, str]:
    """The status and the code of an error that is told as a page."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    code = re.search(r"code <code>([a-z_]+)</code>", response.text)
    assert code is not None, response.text
    return response.status_code, code[1]


def words_of(html: str) -> str:
    """What a page says, without its tags, and with one space where there are several."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


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
