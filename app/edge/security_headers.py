"""What browsers are told to be careful about, with every answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.open_addresses import is_open
from app.pages.addresses import is_page

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

REFERRERS_OF_PAGES = b"same-origin"
"""Whom our pages are named to: nobody but us. With no-referrer a browser would name no origin with their forms either,
and what comes without a key must show that it comes from a page of ours."""

NOTHING = b"default-src 'none'; frame-ancestors 'none'"
"""The policy of answers that are no pages."""

DOCUMENTATION = (
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The policy of ``/docs``. It has its own scripts and styles, some of them inline, and loads nothing from elsewhere."""


class SecurityHeaders:
    """Adds the headers to every answer; one that has a policy or a lifetime of its own keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, completing the headers of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def completing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"]]
                add_security_headers(headers, scope["path"])
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, completing_send)


def add_security_headers(headers: list[tuple[bytes, bytes]], path: str) -> None:
    """Complete the headers of an answer from that path, whose names are in lower case."""
    there = {name for name, _ in headers}
    headers += ALWAYS
    headers.append((b"referrer-policy", REFERRERS_OF_PAGES if is_page(path) else b"no-referrer"))
    if b"content-security-policy" not in there:
        headers.append((b"content-security-policy", DOCUMENTATION if path == "/docs" else NOTHING))
    if b"cache-control" not in there and not is_open(path):
        # It is somebody's own. What has an ETag may be kept by its owner's browser, to be asked for again every time.
        headers.append((b"cache-control", b"private, no-cache" if b"etag" in there else b"no-store"))
