"""Runs the application under uvicorn.

It ends within two seconds when it is asked to, and waits for no client for long.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from domain.datasets.reading.processes import FORK_SERVER

GRACE_SECONDS = 1
"""Seconds. Requests that are under way get so long to be answered. Then their connections are closed."""

MOST_SECONDS = 1.6
"""Seconds. After that the process ends even if a thread is busy with a prediction or an upload. Nothing is lost: what a
request has stored was committed in one piece, and the rest is cleared away at the next start."""


class Server(uvicorn.Server):
    """Uvicorn's server, which by itself would wait for every request and every thread."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT."""
        deadline = threading.Timer(MOST_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything; the processes that read files end too."""
        await super().shutdown(sockets)
        FORK_SERVER.end()


class ImpatientProtocol(H11Protocol):
    """Closes a connection that takes too long to say what it wants.

    It may send its headers a byte at a time, and Uvicorn itself waits only for the first byte of a further request. How
    the body comes is the business of `app.edge.slow_bodies`.
    """

    seconds: float
    _deadline: asyncio.TimerHandle | None = None

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
        self._forget_the_deadline()
        super().connection_lost(exc)

    def _expect_a_request(self) -> None:
        self._forget_the_deadline()
        self._deadline = self.loop.call_later(self.seconds, self._close_unless_answering)

    def _close_unless_answering(self) -> None:
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete:
            self.transport.close()

    def _forget_the_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(app: FastAPI, listener: socket.socket, header_seconds: float) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        app: the application.
        listener: a listening socket.
        header_seconds: how long the line and the headers of a request may take to come.
    """

    class Protocol(ImpatientProtocol):
        seconds = header_seconds

    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody is believed who says that another has asked
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config).run(sockets=[listener])
