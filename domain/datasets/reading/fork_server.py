"""The process that forks a child for each file to be read. It has read nothing itself, and has all modules loaded.

`domain.datasets.reading.processes` starts it and speaks to it. Over its control socket come single bytes, each with one
end of a socket pair, the channel of one reading: the task has been written into it. A child takes the channel over,
carries the task out and writes the answer. When the child has ended, however it did, this process adds a last line with
its exit code (negative: the signal that killed it) and the most bytes that it had in memory, and closes the channel.

The other ends of all these sockets are the API's and nobody else's. When it closes its end of a channel it wants no
answer any more, and the child is killed; when it closes the control socket, all are, and this process ends.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import NoReturn

from domain.datasets.reading.reader import ReadingTask, answer_to
from infra.processes import die_with_parent

MOST_TASK_BYTES = 2**16

_RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class _Child:
    """A child that reads a file.

    Attributes:
        pid: its process id.
        channel: where its answer goes.
        life: readable when it has ended.
        is_killed: we have seen to that already.
    """

    pid: int
    channel: socket.socket
    life: int
    is_killed: bool = False

    def kill(self) -> None:
        """End it, whatever it is doing."""
        os.kill(self.pid, signal.SIGKILL)
        self.is_killed = True

    def bury(self) -> None:
        """Take note of its end and tell of it."""
        _, status, usage = os.wait4(self.pid, 0)
        last_line = f"\n{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss * _RUSAGE_UNIT}"
        with suppress(OSError), self.channel:  # nobody may be listening
            self.channel.sendall(last_line.encode())
        os.close(self.life)


def serve(control: socket.socket) -> None:
    """Fork a child for every channel that comes, until the control socket is closed at its other end."""
    for number in (signal.SIGTERM, signal.SIGINT):  # these may be sent to a whole group; the end is that of the socket
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # what is there now stays, and is not copied for being looked through
    children: list[_Child] = []
    while True:
        ready = _ready(control, children)
        for child in [each for each in children if each.life in ready]:
            children.remove(child)
            child.bury()
        for child in children:
            if child.channel in ready:
                child.kill()
        if control in ready:
            message, channels, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                break
            channel = socket.socket(fileno=channels[0])
            try:
                children.append(_fork(channel, control, children))
            except OSError:  # no process, or no memory for one: without a last line, that is told as well
                channel.close()
    for child in children:
        child.kill()
        child.bury()


def _ready(control: socket.socket, children: Iterable[_Child]) -> list[object]:
    channels = [child.channel for child in children if not child.is_killed]
    return list(wait([control, *channels, *(child.life for child in children)]))


def _fork(channel: socket.socket, control: socket.socket, siblings: Iterable[_Child]) -> _Child:
    task = channel.recv(MOST_TASK_BYTES)  # all of it is there: it was written before the channel was sent
    server = os.getpid()
    life, held = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(life)
        raise
    finally:
        if os.getpid() == server:
            os.close(held)
    if pid == 0:
        _be_a_child(task, channel, server, [control, *(sibling.channel for sibling in siblings)])
    return _Child(pid, channel, life)


def _be_a_child(task_json: bytes, channel: socket.socket, server: int, others: Iterable[socket.socket]) -> NoReturn:
    status = 1
    try:
        die_with_parent(server)
        for other in others:  # each is to end with its own child
            other.close()
        task = ReadingTask.model_validate_json(task_json)
        _limit(task)
        channel.sendall(answer_to(task))
        status = 0
    except BaseException:  # of the child nothing may go on as if it were the server
        traceback.print_exc()
    finally:
        os._exit(status)


def _limit(task: ReadingTask) -> None:
    """Bound this process. The kernel keeps the bounds, whatever native code does."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not the address space, of which allocators reserve more than they use.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    most = task.most_bytes if most == resource.RLIM_INFINITY else min(task.most_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which is the end
    signal.setitimer(signal.ITIMER_REAL, task.most_seconds)
    with suppress(OSError):  # where there is such a thing: where memory runs out, this process goes and not the API
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
