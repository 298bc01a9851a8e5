"""The short way to an answer, for what is asked far more often than all else: predictions.

The way through all middlewares, routes and coroutines takes several times as long as a small prediction. So the server
asks here first, once a plain request has come whole. Who asks must be known to this process already, the model must be
in memory and the answer must take a few milliseconds at most: then it is computed at once, in the event loop, and its
bytes are those of the usual way. In all other cases, and whenever anything is wrong, there is no short way. The usual
one is taken instead, as if nobody had asked here; it tells what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from fastapi import FastAPI

from app.access.admission import Access
from app.access.gate import Gate
from app.edge.security_headers import add_security_headers
from app.edge.server import Answer, Answerer, Headers, RequestHead
from infra.errors import TooMany

MOST_BYTES = 2**20
"""Bytes. A request with a larger body takes so long that the way does not matter."""

ANY_PATH = "/v1/models"
"""An address of the API. They all get the same security headers."""

_UNUSUAL = frozenset({b"content-encoding", b"transfer-encoding", b"expect"})
"""A request with one of these headers is not plain: much is to be done about it, and few clients send them."""

_PLAIN_TARGET = re.compile(rb"[!-$&->@-~]+")
"""An address without a query and without anything that is to be decoded."""


class Asked(NamedTuple):
    """A request that is to be answered at once.

    Attributes:
        app: the application.
        access: what it may do.
        headers: its.
        body: its.
    """

    app: FastAPI
    access: Access
    headers: Headers
    body: bytes

    def text(self, header: str) -> str | None:
        """What a header says; None if it is not there."""
        value = self.headers.get(header.lower().encode())
        return None if value is None else value.decode("latin-1")


class Content(NamedTuple):
    """What is answered, with the status 200.

    Attributes:
        headers: that describe it.
        body: of the answer.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes


class Shortcut(NamedTuple):
    """A short way.

    Attributes:
        path: of the requests that it is for.
        content: answers one, by what the groups of `path` have matched. None, or any exception: not at once.
    """

    path: re.Pattern[str]
    content: Callable[[Mapping[str, str], Asked], Content | None]


class Shortcuts:
    """All short ways."""

    def __init__(self, app: FastAPI, shortcuts: Sequence[Shortcut], gate: Gate) -> None:
        """Answer requests that the application would answer.

        Args:
            app: the application.
            shortcuts: the ways; a request takes the first that is for it.
            gate: the one on the usual way.
        """
        self._app = app
        self._shortcuts = shortcuts
        self._gate = gate

    def answerer(self, request: RequestHead) -> Answerer | None:
        """What may answer a request once its body has come; None if nothing will.

        Like the gate on the usual way, this is before any of the body has been read. The request is counted.
        """
        if request.method != b"POST" or not _PLAIN_TARGET.fullmatch(request.target):
            return None
        path = request.target.decode("ascii")
        for shortcut in self._shortcuts:
            match = shortcut.path.fullmatch(path)
            if match is not None:
                return self._let_in(shortcut, match, request) if _is_plain(request.headers) else None
        return None

    def _let_in(self, shortcut: Shortcut, match: re.Match[str], request: RequestHead) -> Answerer | None:
        access = self._gate.known_already(self._app, request)
        if access is None:
            return None
        try:
            self._gate.count(self._app, access)
        except TooMany:
            return None

        def content(body: bytes) -> Content | None:
            return shortcut.content(match.groupdict(), Asked(self._app, access, request.headers, body))

        return _ShortWay(content, lambda: self._gate.take_back(self._app, access))


class _ShortWay(NamedTuple):
    """The short way of one request.

    Attributes:
        content: gives the answer to its body.
        take_back: lets it be uncounted.
    """

    content: Callable[[bytes], Content | None]
    take_back: Callable[[], None]

    def answer(self, body: bytes) -> Answer | None:
        """Answer the request, of which this is the whole body; None if that is left to the application."""
        try:
            content = self.content(body)
        except Exception:  # the application will raise it once more, and tell of it
            return None
        return None if content is None else Answer(_lines(content.headers), content.body)

    def leave(self) -> None:
        """Let the application have the request. It counts it."""
        self.take_back()


@lru_cache(maxsize=128)
def _lines(headers: tuple[tuple[str, str], ...]) -> bytes:
    """The lines of these headers, and of those that all answers of the API have."""
    all_of_them = [(name.lower().encode(), value.encode()) for name, value in headers]
    add_security_headers(all_of_them, ANY_PATH)
    return b"".join(b"%s: %s\r\n" % header for header in all_of_them)


def _is_plain(headers: Headers) -> bool:
    length = headers.get(b"content-length", b"")
    return length.isdigit() and 0 < int(length) <= MOST_BYTES and _UNUSUAL.isdisjoint(headers)
