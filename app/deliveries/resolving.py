"""The addresses of hosts, asked for beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host and port; raises OSError."""


async def addresses_of(host: str, port: int, resolve: Resolve) -> list[str]:
    """The addresses of a host, looked up in a thread of its own.

    A name server that does not answer holds that thread for long after this has been given up. It takes none of those
    that ask the database, and none that the process waits for when it ends.

    Raises:
        Exception: whatever `resolve` raises.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        try:
            tell = partial(found.set_result, resolve(host, port))
        except Exception as error:
            tell = partial(found.set_exception, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if found.done() else tell())

    threading.Thread(target=look_up, name="resolving", daemon=True).start()
    return await found
