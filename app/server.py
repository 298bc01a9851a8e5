"""The application under uvicorn, ended within two seconds when asked to, whatever its clients are doing."""

from __future__ import annotations

import os
import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS = 1
"""What requests in flight get to be answered; then their connections are closed."""

MOST_SECONDS = 1.6
"""After that the process ends even if a thread is busy: with a prediction, or with reading a large upload. Nothing is
lost: what a request has stored was committed in one piece, and what it has not is cleared away at the next start."""


class Server(uvicorn.Server):
    """Uvicorn's server, which by itself would wait for every request and every thread."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT."""
        deadline = threading.Timer(MOST_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)


def serve(app: FastAPI, host: str, port: int, listener: socket.socket | None = None) -> None:
    """Answer requests until SIGTERM or SIGINT.

    Args:
        app: the application.
        host: address to listen on.
        port: port to listen on.
        listener: an open socket to listen on instead.
    """
    config = uvicorn.Config(app, host, port, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    Server(config).run(sockets=None if listener is None else [listener])
