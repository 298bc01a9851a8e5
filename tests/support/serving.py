"""`backprop serve` as a user starts it: a process of its own, spoken to over HTTP and signals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from infra.processes import stop

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """A stack that runs.

    Attributes:
        process: of the command.
        url: where it listens, as it says.
        greeting: the lines it printed until then.
    """

    process: subprocess.Popen[bytes]
    url: str
    greeting: str

    def get(self, path: str) -> httpx2.Response:
        """Ask the API."""
        return httpx2.get(f"{self.url}{path}", timeout=30, trust_env=False)

    def descendants(self) -> list[psutil.Process]:
        """All that the command has started, and what these have started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def children(self, command: str) -> list[psutil.Process]:
        """Its own children that run a command: ``api`` or ``worker``; or ``redis-server``."""
        return [
            child
            for child in psutil.Process(self.process.pid).children()
            if command in child.cmdline()[-3:] or Path(child.exe()).name == command
        ]


def start(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Run ``backprop`` with these arguments; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=dict(os.environ) | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def serving(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A stack that keeps its data in `folder`, on a free port unless the options name one; stopped at the end."""
    options = options if "--port" in options else (*options, "--port", "0")
    process = start("serve", "--data", str(folder), *options, environment=environment)
    try:
        yield _ready(process)
    finally:
        stop(process)
        assert process.stdout is not None
        process.stdout.close()


def _ready(process: subprocess.Popen[bytes]) -> Served:
    assert process.stdout is not None
    greeting = ""
    for raw in process.stdout:
        line = raw.decode()
        greeting += line
        if found := re.search(r"http://\S+:\d+", line):
            return Served(process, found.group(), greeting)
    raise AssertionError(f"it did not start: {greeting}")
