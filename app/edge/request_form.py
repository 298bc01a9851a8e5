"""Requests in the one form that everything behind it expects, whichever of HTTP's other forms they come in."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestForm:
    """Takes absolute targets apart, drops a slash at the end, ignores ranges, and turns HEAD into GET.

    - A target may be a whole URL (``GET http://host/v1/jobs``). Its host then counts, not the header's: RFC 9112,
      section 3.2.2.
    - An address with a slash at its end is the one without. A redirect would have to guess the scheme behind a proxy.
    - HEAD is answered as GET is, without the body: RFC 9110, section 9.3.2. Uptime monitors ask so.
    - No answer is large enough to be asked for in parts. A server may ignore ``Range``: RFC 9110, section 14.2.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in that form."""
        if scope["type"] == "http":
            scope = {**scope, "headers": list(scope["headers"])}
            headers = MutableHeaders(scope=scope)
            del headers["range"]
            if scope["path"].lower().startswith(("http://", "https://")):
                _take_apart(scope, headers)
            if scope["path"] != "/" and scope["path"].endswith("/"):
                scope["path"] = scope["path"][:-1]
                scope["raw_path"] = scope["raw_path"].removesuffix(b"/")
            if scope["method"] == "HEAD":
                scope["method"] = "GET"
                send = _without_body(send)
        await self.app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body


def _take_apart(scope: Scope, headers: MutableHeaders) -> None:
    _, _, after_scheme = scope["raw_path"].decode("latin-1").partition("://")
    authority, slash, rest = after_scheme.partition("/")
    path = slash + rest or "/"
    scope["raw_path"] = path.encode("latin-1")
    scope["path"] = unquote(path)
    headers["host"] = authority.rpartition("@")[2]
