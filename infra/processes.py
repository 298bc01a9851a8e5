"""Child processes that never outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1

STOP_SECONDS = 10.0
"""Seconds. A child that has been asked to end gets so long. Then it is killed."""

WATCH_SECONDS = 0.5
"""Seconds. So often a process looks whether its parent is still there."""

LAST_SECONDS = 5.0
"""Seconds. A process whose parent has died gets so long to end in order. Then it kills itself."""


def usable_processors() -> int:
    """How many processors this process may use. Only Linux tells of those it may not."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_with_parent(parent: int) -> None:
    """Have this process end when its parent does.

    It is asked first, as anybody would ask it, and killed if it does not obey.

    Args:
        parent: process id of the parent, which may have died before this is called.
    """
    if sys.platform == "linux":
        _request_signal_at_parent_death(signal.SIGTERM)  # at once; what follows is certain
    threading.Thread(target=_end_after, args=(parent,), name="parent's end", daemon=True).start()


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent dies, or has died already. Linux only.

    To be called in a child right after the fork, also between fork and exec.
    """
    if sys.platform == "linux":
        _request_signal_at_parent_death(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def dying_with_this_process() -> Callable[[], None]:
    """A `preexec_fn` for a program that is to be killed when this process dies, whatever state it is in then."""
    parent = os.getpid()
    return lambda: die_with_parent(parent)


def _request_signal_at_parent_death(number: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """End a child: SIGTERM, and SIGKILL if it takes longer than that. Nothing happens if it has ended already."""
    if process.poll() is None:
        process.terminate()
        wait_or_kill(process, seconds)


def wait_or_kill(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """Wait for a child that has been asked to end; SIGKILL if it takes longer than that."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
