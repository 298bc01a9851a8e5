"""Requests in the one form that everything behind it expects, whichever of HTTP's other forms they come in."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestForm:
    """Drops a slash at the end of an address, ignores ranges, and turns HEAD into GET.

    - An address with a slash at its end is the one without. A redirect would have to guess the scheme behind a proxy.
    - HEAD is answered as GET is, without the body: RFC 9110, section 9.3.2. Uptime monitors ask so.
    - No answer is large enough to be asked for in parts. A server may ignore ``Range``: RFC 9110, section 14.2.

    A target that is a whole URL is taken apart before, by `app.edge.server`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in that form."""
        if scope["type"] == "http":
            if any(name == b"range" for name, _ in scope["headers"]):
                scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
            path: str = scope["path"]
            if path != "/" and path.endswith("/"):
                scope = {**scope, "path": path[:-1], "raw_path": scope["raw_path"].removesuffix(b"/")}
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET"}
                send = _without_body(send)
        await self.app(scope, receive, send)


def _without_body(send: Send) -> Send:
    """Ends the answer where its body would begin: that of a stream of events has no end."""
    is_complete = False

    async def send_without_body(message: Message) -> None:
        nonlocal is_complete
        if message["type"] == "http.response.body":
            if is_complete:
                return
            is_complete = True
            message = {"type": "http.response.body"}
        await send(message)

    return send_without_body
