"""Child processes that never outlive the one that started them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1

STOP_SECONDS = 10.0


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies, however it dies. Linux only; elsewhere nothing happens.

    To be called in the child, between fork and exec (`preexec_fn`).
    """
    request_signal_at_parent_death(signal.SIGTERM)


def request_signal_at_parent_death(number: signal.Signals) -> None:
    """Ask the kernel for that signal when the parent dies. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


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
