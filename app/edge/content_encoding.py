"""Bodies that come compressed."""

from __future__ import annotations

import zlib
from http import HTTPStatus

from fastapi import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import problem

MOST_BYTES_AT_ONCE = 2**20
"""Bytes. So much of a decoded body is in memory before the next reader can count it."""

_GZIP = 16 + zlib.MAX_WBITS


class ContentEncoding:
    """Decodes bodies with ``Content-Encoding: gzip`` as they come, and refuses all other codings with 415.

    Everything behind it sees the decoded body, and its limits are those of the decoded size.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is not encoded."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding in ("identity", ""):
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
        self._waiting = b""
        self._more_comes = True
        self._has_begun = False

    async def receive(self) -> Message:
        """The next message: at most `MOST_BYTES_AT_ONCE` of the decoded body."""
        while True:
            if not self._waiting and self._more_comes:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._waiting = message.get("body", b"")
                self._more_comes = message.get("more_body", False)
            elif not self._waiting and (self._decoder.eof or not self._has_begun):
                return {"type": "http.request", "body": b"", "more_body": False}
            elif not self._waiting:
                raise _Damaged  # it ends within a member
            piece = self._decode()
            if piece:
                return {"type": "http.request", "body": piece, "more_body": True}

    def _decode(self) -> bytes:
        if not self._waiting:
            return b""
        self._has_begun = True
        if self._decoder.eof:
            self._decoder = zlib.decompressobj(_GZIP)
        try:
            piece = self._decoder.decompress(self._waiting, MOST_BYTES_AT_ONCE)
        except zlib.error as error:
            raise _Damaged from error
        self._waiting = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
        return piece


class _Damaged(BaseException):
    """Not an Exception: FastAPI turns every Exception while reading a body into its own answer."""


def _damaged() -> Response:
    return problem(HTTPStatus.BAD_REQUEST, "malformed_gzip", "The body is not gzip, or it ends too early.")


def _not_understood(coding: str) -> Response:
    return problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_coding",
        f"The body comes in the coding {coding[:100]!r}; this server takes gzip, or none.",
        headers={"Accept-Encoding": "gzip"},
    )
