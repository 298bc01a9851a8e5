"""The answer that is a stream.

FastAPI's `EventSourceResponse` encodes every event for every listener. Here one encoding serves all of them, so the
answer takes bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import structlog
from fastapi import Response
from starlette.types import Receive, Scope, Send

LAST_SECONDS = 0.5
"""Seconds. A client that is slow gets so long to take the end of its stream. Then its connection is closed."""

_log = structlog.get_logger(__name__)


class EventStream(Response):
    """Sends pieces as they come, until there are no more, the client leaves or `end` is called."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncIterator[bytes], on_end: Callable[[], None]) -> None:
        """Send nothing yet.

        Args:
            pieces: of the stream.
            on_end: called once the stream has ended, however it does.
        """
        # No proxy is to collect what is to be seen at once.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._pieces = pieces
        self._on_end = on_end
        self._ended = asyncio.Event()

    def end(self) -> None:
        """End the stream now."""
        self._ended.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer with it."""
        tasks: set[asyncio.Task[Any]] = set()
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            tasks = {
                asyncio.create_task(self._send_all(send)),
                asyncio.create_task(_until_the_client_leaves(receive)),
                asyncio.create_task(self._ended.wait()),
            }
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await _cancelled(tasks)
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(LAST_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for task in tasks:
                task.cancel()
            self._on_end()

    async def _send_all(self, send: Send) -> None:
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _until_the_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    """Have all of them end."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            _log.error("a stream of events has failed", exc_info=outcome)
