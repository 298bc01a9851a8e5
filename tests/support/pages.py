"""Short ways to ask for pages and to send their forms as a browser does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

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
