"""Several processes that serve the API on one socket: a request is answered by whichever takes its connection."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Mapping

import structlog

from app.edge.sharing import counts_file
from cli.parts import Part, started_command, stop_all, supervise

END_SECONDS = 1.9
"""Seconds. They end within 1.6 of being asked (`app.edge.server`), and are killed after this."""


def api_parts(
    listener: socket.socket, count: int, tell: Callable[[str], None], environment: Mapping[str, str] | None = None
) -> list[Part]:
    """Start so many.

    Args:
        listener: the socket that they all listen on.
        count: how many.
        tell: tells people of the death of one.
        environment: their variables; None: those of this process.
    """
    fd = listener.fileno()
    if count == 1:
        alone = ("api", "--fd", str(fd), "--api-processes", "1")
        return [Part("API", lambda: started_command(*alone, inherited=[fd], environment=environment), tell)]
    counts = counts_file(count)

    def starting(number: int) -> Callable[[], subprocess.Popen[bytes]]:
        one_of_all = ("api", "--fd", str(fd), "--counts-fd", str(counts), "--number", str(number))
        return lambda: started_command(*one_of_all, inherited=[fd, counts], environment=environment)

    return [Part(f"API process {number}", starting(number), tell) for number in range(1, count + 1)]


def run_api_processes(listener: socket.socket, count: int) -> None:
    """Keep so many running until this process is asked to end.

    Raises:
        PartGivenUp: one of them dies again and again. The others are stopped then.
    """
    log = structlog.get_logger(__name__)
    parts: list[Part] = []
    try:
        parts += api_parts(listener, count, log.warning)
        supervise(parts)
    finally:
        stop_all(parts, END_SECONDS)
