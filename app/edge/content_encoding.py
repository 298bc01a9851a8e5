"""Bodies that come compressed."""

from __future__ import annotations

import zlib
from http import HTTPStatus

from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import problem

MOST_BYTES_AT_ONCE = 2**20
"""Bytes. So much of a decoded body is in memory before the next reader can count it."""

DECODED_AT_A_TIME = 2**12
"""Bytes of the compressed body. The decoder copies what is behind each member's end, so it gets little at a time."""

MOST_OVERHEAD = 2**16
"""Bytes. A compressed body may be so much longer than twice what it decodes to. Else it is made of empty members, which
no limit of the decoded size would ever end."""

METHODS_WITH_BODIES = frozenset({"POST", "PUT", "PATCH"})

_GZIP = 16 + zlib.MAX_WBITS


class ContentEncoding:
    """Decodes bodies with ``Content-Encoding: gzip`` as they come, and refuses all other codings with 415.

    Everything behind it sees the decoded body, and its limits are those of the decoded size.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is not encoded."""
        if scope["type"] != "http" or scope["method"] not in METHODS_WITH_BODIES:
            await self.app(scope, receive, send)
            return
        coding = _coding(Headers(scope=scope))
        if coding == "":
            await self.app(scope, receive, send)
        elif coding in ("gzip", "x-gzip"):
            await self._decoded(scope, receive, send)
        else:
            await _not_understood(coding)(scope, receive, send)

    async def _decoded(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "headers": list(scope["headers"])}
        headers = MutableHeaders(scope=scope)
        del headers["content-encoding"]
        del headers["content-length"]
        answered = False

        async def watching_send(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.app(scope, _Gunzip(receive).receive, watching_send)
        except _Damaged:
            if not answered:
                await _damaged()(scope, receive, send)


class _Gunzip:
    """A body in gzip as it comes, decoded piece by piece. It may have several members, one after the other."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._decoder = zlib.decompressobj(_GZIP)
        self._waiting = memoryview(b"")
        self._more_comes = True
        self._has_ended = False
        self._taken = 0
        self._given = 0

    async def receive(self) -> Message:
        """The next message: at most `MOST_BYTES_AT_ONCE` of the decoded body; past its end, the client leaving."""
        if self._has_ended:
            return await self._receive()
        while not (piece := self._decode()):
            if not self._more_comes:
                if self._taken and not self._decoder.eof:
                    raise _Damaged  # it ends within a member
                self._has_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._waiting = memoryview(message.get("body", b""))
            self._more_comes = message.get("more_body", False)
        return {"type": "http.request", "body": piece, "more_body": True}

    def _decode(self) -> bytes:
        """What comes out of the bytes that wait, up to a message's worth."""
        decoded = bytearray()
        while self._waiting and len(decoded) < MOST_BYTES_AT_ONCE:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(_GZIP)
            given = self._waiting[:DECODED_AT_A_TIME]
            try:
                decoded += self._decoder.decompress(given, MOST_BYTES_AT_ONCE - len(decoded))
            except zlib.error as error:
                raise _Damaged from error
            left = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            taken = len(given) - len(left)
            self._waiting = self._waiting[taken:]
            self._taken += taken
            if self._taken > MOST_OVERHEAD + 2 * (self._given + len(decoded)):
                raise _Damaged
        self._given += len(decoded)
        return bytes(decoded)


class _Damaged(BaseException):
    """Not an Exception: FastAPI turns every Exception while reading a body into its own answer."""


def _coding(headers: Headers) -> str:
    """All codings of the body, in the order in which they were applied; several lines are one list."""
    named = [name.strip().lower() for line in headers.getlist("content-encoding") for name in line.split(",")]
    return ", ".join(name for name in named if name not in ("", "identity"))


def _damaged() -> Response:
    return problem(HTTPStatus.BAD_REQUEST, "malformed_gzip", "The body is not gzip, or it ends too early.")


def _not_understood(coding: str) -> Response:
    return problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_coding",
        f"The body comes in the coding {coding[:100]!r}; this server takes gzip, or none.",
        headers={"Accept-Encoding": "gzip"},
    )
