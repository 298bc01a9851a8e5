"""What browsers are told to be careful about, with every answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.open_addresses import is_open

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""The policy of answers that are no pages."""

DOCUMENTATION = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
                add_security_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, completing_send)


def add_security_headers(headers: MutableHeaders, path: str) -> None:
    """Complete the headers of an answer from that path."""
    for name, value in ALWAYS.items():
        headers[name] = value
    headers.setdefault("Content-Security-Policy", DOCUMENTATION if path == "/docs" else NOTHING)
    if not is_open(path):
        # It is somebody's own. What has an ETag may be kept by its owner's browser, to be asked for again every time.
        headers.setdefault("Cache-Control", "private, no-cache" if "etag" in headers else "no-store")
