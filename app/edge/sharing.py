"""Several processes that listen on one socket share the connections evenly.

All of them wake when a connection comes, and the first to be awake could take whatever waits: a few clients that keep
their connections would then be served by one process while the others have nothing to do. So each process knows how
many connections the others hold, and leaves a new one for a moment to those that hold fewer.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import socket
import tempfile
from collections.abc import Callable

import structlog

LEAVE_SECONDS = 0.001
"""Seconds. A connection is left so long to processes that hold fewer. These may be busy, or dead: then we take it."""

REST_SECONDS = 1.0
"""Seconds. Without descriptors or memory for another connection, none is taken for so long."""

_COUNT_BYTES = 4

_log = structlog.get_logger(__name__)


def counts_file(processes: int) -> int:
    """The descriptor of a file without a name that holds the connections of so many processes. These inherit it."""
    with tempfile.TemporaryFile() as file:
        file.truncate(processes * _COUNT_BYTES)
        return os.dup(file.fileno())


class ConnectionCounts:
    """How many connections each process holds, in memory that they share."""

    def __init__(self, fd: int, own: int) -> None:
        """Hold none yet.

        Args:
            fd: of the file that `counts_file` has made.
            own: this process's place in it, from 0.
        """
        self._counts = memoryview(mmap.mmap(fd, 0)).cast("i")
        self._own = own
        self._counts[own] = 0  # whoever had this place before is dead

    def took_one(self) -> None:
        """Let the others know that this process holds one more."""
        self._counts[self._own] += 1

    def lost_one(self) -> None:
        """Let the others know that this process holds one less."""
        self._counts[self._own] -= 1

    def others_hold_fewer(self) -> bool:
        """Whether another process should rather take the next connection."""
        return bool(self._counts[self._own] > min(self._counts))


class SharedListener:
    """Takes one connection after the other from a socket that other processes take from too."""

    def __init__(
        self, listener: socket.socket, counts: ConnectionCounts, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        """Begin. To be made in the event loop.

        Args:
            listener: the socket.
            counts: what this process tells and is told.
            protocol: makes one for each connection, which says to `counts` when it has lost it.
        """
        listener.setblocking(False)
        self._listener = listener
        self._counts = counts
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._beginnings: set[asyncio.Task[object]] = set()
        self._waiting: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._one_has_come)

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listener)
        if self._waiting is not None:
            self._waiting.cancel()
        self._listener.close()

    def _one_has_come(self) -> None:
        if self._counts.others_hold_fewer():
            self._leave_it(LEAVE_SECONDS)
        else:
            self._take()

    def _leave_it(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(seconds, self._take_it_after_all)

    def _take_it_after_all(self) -> None:
        self._waiting = None
        self._loop.add_reader(self._listener, self._one_has_come)
        self._take()

    def _take(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another has taken it, or its client has left
        except OSError as error:
            _log.error("no connection can be taken", reason=str(error))
            self._leave_it(REST_SECONDS)
            return
        self._counts.took_one()
        connection.setblocking(False)
        beginning = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
        self._beginnings.add(beginning)
        beginning.add_done_callback(self._has_begun)

    def _has_begun(self, beginning: asyncio.Task[object]) -> None:
        self._beginnings.discard(beginning)
        if beginning.cancelled() or beginning.exception() is not None:
            self._counts.lost_one()
