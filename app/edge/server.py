"""Runs the application under uvicorn.

It ends within two seconds when it is asked to, and waits for no client for long.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NamedTuple, Protocol

import httptools
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.edge.sharing import ConnectionCounts, SharedListener
from domain.datasets.reading.processes import FORK_SERVER

GRACE_SECONDS = 1
"""Seconds. Requests that are under way get so long to be answered. Then their connections are closed."""

MOST_SECONDS = 1.6
"""Seconds. After that the process ends even if a thread is busy with a prediction or an upload. Nothing is lost: what a
request has stored was committed in one piece, and the rest is cleared away at the next start."""

MOST_HEADER_BYTES = 2**16
"""Bytes. The first line and the headers of a request, and what trails its body, may be so long together. The parser
itself would take in any number."""

MOST_CHUNK_OVERHEAD = 8
"""Bytes. So many may come beside each byte of a body: in chunks of a single byte there are five."""

_WHOLE_URL = re.compile(rb"https?://(?:[^/?#]*@)?([^/?#]*)(.*)", re.IGNORECASE)
"""A target that is one. Its host, and what is behind that."""


Headers = Mapping[bytes, bytes]
"""Of a request that has each of them once, by their names in lower case."""


class RequestHead(NamedTuple):
    """The line and the headers of a request.

    Attributes:
        method: in upper case.
        target: path and query, as they came.
        headers: by their names in lower case.
        scheme: ``http`` or ``https``.
    """

    method: bytes
    target: bytes
    headers: Headers
    scheme: str


class Answer(NamedTuple):
    """What a request is answered with, with the status 200.

    Attributes:
        header_lines: all but the date and the length of the body, each with its line end.
        body: its.
    """

    header_lines: bytes
    body: bytes


class Answerer(Protocol):
    """What may answer a request without the application."""

    def answer(self, body: bytes) -> Answer | None:
        """Answer the request, of which this is the whole body; None if that is left to the application."""

    def leave(self) -> None:
        """Let the application have the request."""


class Server(uvicorn.Server):
    """Uvicorn's server, which by itself would wait for every request and every thread."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        """Serve nothing yet.

        Args:
            config: of the server.
            end_streams: ends the answers that would go on for ever.
        """
        super().__init__(config)
        self._end_streams = end_streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT."""
        deadline = threading.Timer(MOST_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; the processes that read files end too."""
        self._end_streams()
        await super().shutdown(sockets)
        FORK_SERVER.end()


class SharingServer(Server):
    """The server of one of several processes that listen on the same socket."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None], counts: ConnectionCounts) -> None:
        """Serve nothing yet.

        Args:
            config: of the server.
            end_streams: ends the answers that would go on for ever.
            counts: of the connections of all these processes.
        """
        super().__init__(config, end_streams)
        self._counts = counts
        self._shared_listener: SharedListener | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections from the socket from now on."""
        assert sockets is not None  # noqa: S101  # `serve` has given one
        (listener,) = sockets
        await super().startup([])
        self._shared_listener = SharedListener(listener, self._counts, self._new_protocol)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002  # it is closed by us
        """Leave all further connections to the others."""
        if self._shared_listener is not None:
            self._shared_listener.close()
        await super().shutdown([])

    def _new_protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


class CarefulProtocol(HttpToolsProtocol):
    """Speaks HTTP with a client who may not mean well.

    - It closes a connection that takes too long to say what it wants. A client may send its headers a byte at a time,
      and Uvicorn itself waits only for the first byte of a further request. How the body comes is the business of
      `app.edge.bodies`.
    - It takes no more than `MOST_HEADER_BYTES` of headers.
    - A target may be a whole URL (``GET http://host/v1/jobs``). Its host then counts, not the header's: RFC 9112,
      section 3.2.2.
    - It asks `find_answerer` about each request. What that gives may answer the request once its body has come, without
      the application.
    - It changes to no other protocol. Some clients ask for HTTP/2 with every request (Java's do), and their requests
      are answered as if they had not: RFC 9110, section 7.8.
    """

    seconds: float
    find_answerer: Callable[[RequestHead], Answerer | None] = staticmethod(lambda _request: None)
    counts: ConnectionCounts | None = None
    """Is told of every connection that is lost."""
    _deadline: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _body_bytes = 0
    _bytes_beside = 0
    """Bytes of the present request that have come besides its body."""
    _answerer: Answerer | None = None
    """May answer the present request. Until its body has come, the application does not know of it."""
    _held_body: list[bytes]
    """As much of that body as has come, in pieces."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_a_request()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._expect_a_request()  # before uvicorn's own, which may begin a request that has come already
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        if self.counts is not None:
            self.counts.lost_one()
        self._forget_the_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless it is no HTTP or too much of it is no body."""
        self._unset_keepalive_if_required()
        self._bytes_beside += len(data)
        try:
            self._parse(memoryview(data))
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._bytes_beside > MOST_HEADER_BYTES + MOST_CHUNK_OVERHEAD * self._body_bytes:
            self._refuse()

    def on_message_begin(self) -> None:
        """Count anew."""
        self._body_bytes = self._bytes_beside = self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take in a part of the target."""
        self._header_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header, also one that trails the body.

        Raises:
            ValueError: there are too many; the parser then ends the connection.
        """
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEADER_BYTES:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin with the request.

        Raises:
            ValueError: it is for a proxy, which this is not; the parser then ends the connection.
        """
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("no proxy")
        if self.parser.should_upgrade():
            return  # `_parse` begins it once more
        whole_url = _WHOLE_URL.fullmatch(self.url)
        if whole_url is not None:
            host, rest = whole_url.groups()
            self.url = rest if rest.startswith(b"/") else b"/" + rest
            self.headers[:] = [(b"host", host), *(header for header in self.headers if header[0] != b"host")]
        self._answerer = self._found_answerer()
        if self._answerer is None:
            super().on_headers_complete()
        else:
            self._held_body = []

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        self._body_bytes += len(body)
        self._bytes_beside -= len(body)
        if self._answerer is None:
            super().on_body(body)
        else:
            self._held_body.append(body)

    def on_message_complete(self) -> None:
        """Let the request's body have ended."""
        if self._answerer is not None:
            answer = self._answerer.answer(b"".join(self._held_body))
            if answer is not None:
                self._answerer = None
                self._send(answer)
                return
            self._leave_it_to_the_application()
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _found_answerer(self) -> Answerer | None:
        """What may answer the present request.

        Nothing does if another is being answered, if the connection is to end, or if a header has come twice.
        """
        cycle: Any = self.cycle  # None before the first request
        is_idle = cycle is None or cycle.response_complete
        headers = dict(self.headers)
        is_plain = len(headers) == len(self.headers) and self.parser.should_keep_alive()
        if not is_idle or not is_plain or self.flow.write_paused:
            return None
        return self.find_answerer(RequestHead(self.parser.get_method(), self.url, headers, self.scheme or "http"))

    def _send(self, answer: Answer) -> None:
        date = b"".join([b"%s: %s\r\n" % header for header in self.server_state.default_headers])
        head = b"HTTP/1.1 200 OK\r\n%s%scontent-length: %d\r\n\r\n" % (date, answer.header_lines, len(answer.body))
        self.transport.write(head + answer.body)
        self.on_response_complete()

    def _leave_it_to_the_application(self) -> None:
        """Let it have the request that `_answerer` has not answered, and as much of its body as has come."""
        assert self._answerer is not None  # noqa: S101
        self._answerer.leave()
        self._answerer = None
        super().on_headers_complete()
        super().on_body(b"".join(self._held_body))

    def _parse(self, data: memoryview) -> None:
        """Have the parser read on.

        After the headers of a request that asks for another protocol it reads no body, and stops. So another one is
        given these headers again, without that wish, and then what has come behind them.

        Raises:
            HttpParserError: it is no HTTP.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                self.parser.feed_data(head)
                (read,) = upgrade.args
                data = data[read:]

    def _head_without_upgrade(self) -> bytes:
        """The line and the headers of the present request, as they came otherwise."""
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join((line, *headers, b"", b""))

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def _expect_a_request(self) -> None:
        self._forget_the_deadline()
        self._deadline = self.loop.call_later(self.seconds, self._close_unless_answering)

    def _close_unless_answering(self) -> None:
        if self._answerer is not None:  # only its body is slow, and the application knows what is too slow
            self._leave_it_to_the_application()
            return
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete:
            self.transport.close()

    def _forget_the_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(
    app: FastAPI,
    listener: socket.socket,
    header_seconds: float,
    shared: ConnectionCounts | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        app: the application, whose state has a `find_answerer`, see `CarefulProtocol`.
        listener: a listening socket.
        header_seconds: how long the line and the headers of a request may take to come.
        shared: the connections of all processes that listen on this socket; None if it is this one alone.
    """

    class Speaker(CarefulProtocol):
        seconds = header_seconds
        find_answerer = staticmethod(app.state.find_answerer)
        counts = shared

    config = uvicorn.Config(
        app,
        http=Speaker,
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody is believed who says that another has asked
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    def end_streams() -> None:
        app.state.streams.end_all()

    server = Server(config, end_streams) if shared is None else SharingServer(config, end_streams, shared)
    server.run(sockets=[listener])
