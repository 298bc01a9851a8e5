"""Uploaded files are read in processes of their own. Whatever a file does to a native reader, the API lives.

A process of its own is forked for each file, with bounded memory and time, by one that is started with the API
(`domain.datasets.reading.fork_server`, which says how they speak). All of them end when this process ends, however that
happens.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

import structlog
from anyio import to_thread

from backprop_client.wire.datasets import Format
from backprop_client.wire.error_codes import InvalidRequestCode
from domain.datasets.reading import fork_server
from domain.datasets.reading.files import supposed_format
from domain.datasets.reading.reader import Answer, ReadingTask, out_of_memory
from domain.datasets.reading.tables import StoredTable, refuse_file
from infra.errors import FieldError, ServiceError, TooLarge, Unavailable
from infra.processes import wait_or_kill

ENVIRONMENT = {
    # Its pool would take a gigabyte at once, used or not, and leave nothing of the memory a child may have.
    "MIMALLOC_ARENA_EAGER_COMMIT": "0",
    "ARROW_DEFAULT_MEMORY_POOL": "mimalloc",
    # A process with threads cannot be forked safely; neither the summaries nor an allocator we do not use need any.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Arrow's, of which each has a stack that counts as memory, on a machine with many processors.
    "OMP_NUM_THREADS": str(min(4, os.cpu_count() or 1)),
}
"""The processes that read have these variables."""

_TRIES = 2
"""Tries. Somebody may kill the server, and its children with it. Twice in a row is no accident."""

_END_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Server:
    """A fork server that runs, and our end of its control socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    @classmethod
    def started(cls) -> _Server:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", fork_server.__name__, str(theirs.fileno())],
                env=os.environ | ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return cls(process, ours)

    @property
    def has_ended(self) -> bool:
        """Whether it has closed its end of the control socket. That is known before the process can be waited for."""
        try:
            return not self.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def end(self) -> None:
        self.control.close()  # which it takes as the end
        wait_or_kill(self.process, _END_SECONDS)


_INVALID: dict[Format, InvalidRequestCode] = {
    "csv": "invalid_csv",
    "parquet": "invalid_parquet",
    "json": "invalid_json",
    "npz": "invalid_npz",
    "arrow": "invalid_arrow",
}
"""What a file is said to be that has ended its reader."""


class ForkServer:
    """The one fork server of this process. It is started when it is first needed, and again when it has been killed."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._lock = threading.Lock()
        atexit.register(self.end)

    def start(self) -> None:
        """See to it that it runs. It takes half a second to load its modules, for which only the first file waits."""
        with self._lock:
            self._running()

    def channel(self, task: bytes) -> socket.socket:
        """Have a child carry a task out; gives our end of the channel.

        Raises:
            OSError: the server is ending this very moment.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                ours.sendall(task)
                socket.send_fds(self._running().control, [b"+"], [theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        return ours

    def end(self) -> None:
        """End it, and all of its children."""
        with self._lock:
            if self._server is not None:
                self._server.end()
                self._server = None

    def _running(self) -> _Server:
        if self._server is not None and self._server.has_ended:
            self._server.end()
            self._server = None
        if self._server is None:
            self._server = _Server.started()
        return self._server


FORK_SERVER = ForkServer()
"""All who read files in this process share it."""


class FileReaders:
    """Reads so many files at a time. Others wait, and hold nothing but their files."""

    def __init__(self, at_a_time: int) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        FORK_SERVER.start()

    async def read(self, task: ReadingTask) -> StoredTable:
        """Carry a task out in a process of its own.

        A reading that is cancelled leaves `task.table` to be removed, and the process is killed.

        Raises:
            InvalidRequest: the file cannot be read as a table; the code says why.
            TooLarge: the table, the memory or the time is more than the task allows.
            Unavailable: the disk is full (``storage_full``), or somebody kills the processes that read
                (``reading_interrupted``).
            ReadingFailed: a fault of ours.
        """
        async with self._free:
            for _ in range(_TRIES):
                answer, line_end, last_line = (await self._all_said_of(task)).rpartition(b"\n")
                if line_end:
                    exit_code, peak_bytes = map(int, last_line.split())
                    return await to_thread.run_sync(_result, task, answer, exit_code, peak_bytes)
                _log.warning("the process that starts readers has been killed, or could start none")
                FORK_SERVER.start()
        raise Unavailable("reading_interrupted", "The processes that read files are being ended from outside.")

    async def _all_said_of(self, task: ReadingTask) -> bytes:
        """All that comes over the task's channel; without its last line if the server has been killed."""
        loop = asyncio.get_running_loop()
        said = bytearray()
        try:
            with FORK_SERVER.channel(task.model_dump_json().encode()) as channel:
                channel.setblocking(False)
                while piece := await loop.sock_recv(channel, 2**16):
                    said += piece
        except OSError:
            return b""
        return bytes(said)


def _result(task: ReadingTask, answer: bytes, exit_code: int, peak_bytes: int) -> StoredTable:
    if exit_code == 0:
        return Answer.model_validate_json(answer).result()
    _log.warning("reading a file ended its process", format=task.format, exit_code=exit_code, peak_bytes=peak_bytes)
    raise _refusal_of_death(task, exit_code, peak_bytes)


def _refusal_of_death(task: ReadingTask, exit_code: int, peak_bytes: int) -> ServiceError:
    if exit_code == -signal.SIGALRM:
        return TooLarge(
            "reading_too_slow",
            f"Reading the file takes longer than {task.most_seconds:,.0f} seconds (BACKPROP_MAX_READING_SECONDS).",
            (FieldError("/file", "takes too long to read"),),
        )
    # The kernel kills with SIGKILL where memory runs out. A native reader that gets none aborts, as one does that is
    # led astray; but the latter is seldom the one that had much.
    if exit_code == -signal.SIGKILL or peak_bytes > task.most_bytes // 2:
        return out_of_memory(task)
    supposed = task.format or supposed_format(task.file, task.options.filename)
    return refuse_file(
        _INVALID[supposed], f"The file cannot be read as {supposed}: it is damaged in a way that ends its reader."
    )
