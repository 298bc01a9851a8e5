"""Predictions a second: ours, MLServer and BentoML with the same network, 64-32-10 on the digits.

    make bench-predict [BENCH='--rounds 5 --seconds 3']

Every server is one process, and all of them run from beginning to end. In every round each takes each load in turn, so
that what disturbs the machine disturbs all alike; the figures are medians of the rounds. A ratio is the median of the
rounds' ratios. Ours asks for a key and counts requests; the others do neither.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import re
import statistics
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np

from benchmarks.predictions import servers
from benchmarks.predictions.load import Outcome, Request, need_wrk, put_on
from benchmarks.predictions.servers import Environments, Server, digits

LEAST_RIGHT = 0.7
"""Of the rows. A server that is right less often does not answer what it is asked."""

WARMING_SECONDS = 1.0


@dataclass(frozen=True)
class Load:
    """What is asked at a time, and how often.

    Attributes:
        rows: of a request.
        connections: each with one request at a time.
    """

    rows: int
    connections: int

    def __str__(self) -> str:
        return f"{self.rows:,} row{'s' if self.rows > 1 else ''}, {self.connections} conn."


LOADS = [Load(1, 1), Load(1, 16), Load(100, 2), Load(1000, 2)]


@dataclass
class Contender:
    """A server with one way of asking it, and what it has done.

    Attributes:
        name: of both.
        request: by the number of rows.
        outcomes: a list for each load, an element a round.
        cpu: milliseconds of computing for each request, likewise.
    """

    name: str
    server: Server
    request: Callable[[np.ndarray], Request | None]
    outcomes: dict[Load, list[Outcome]] = field(default_factory=dict)
    cpu: dict[Load, list[float]] = field(default_factory=dict)

    def take(self, load: Load, request: Request, seconds: float) -> None:
        """Take a load, and note how it went."""
        before = self.server.cpu_seconds()
        outcome = put_on(request, load.connections, seconds)
        computed = self.server.cpu_seconds() - before
        self.outcomes.setdefault(load, []).append(outcome)
        self.cpu.setdefault(load, []).append(1e3 * computed / max(1, outcome.requests))

    def median(self, load: Load, attribute: str) -> float:
        """Of the rounds."""
        return statistics.median(getattr(outcome, attribute) for outcome in self.outcomes[load])

    def ratio(self, load: Load, other: Contender) -> float:
        """How many times as many requests it answers as another does."""
        pairs = zip(self.outcomes[load], other.outcomes[load], strict=True)
        return statistics.median(mine.rate / its.rate for mine, its in pairs)


def started(stack: ExitStack, environments: Environments, arguments: argparse.Namespace) -> list[Contender]:
    """All that are to be measured, once each has shown that it answers what it is asked."""
    wanted: list[AbstractContextManager[Server]] = [servers.ours(environments, 1)]
    if arguments.api_processes > 1:
        wanted.append(servers.ours(environments, arguments.api_processes))
    wanted += [
        servers.mlserver(environments),
        servers.bentoml(environments),
        servers.floor(environments, "handler", servers.BareHandler),
        servers.floor(environments, "echo", servers.BareEcho),
    ]
    rows, _ = digits()
    contenders = []
    for server in map(stack.enter_context, wanted):
        check(server.name, server.asked_in_json(rows[:1000]), server.scores)
        contenders.append(Contender(f"{server.name}, JSON", server, server.asked_in_json))
        raw = server.asked_in_binary(rows[:1000])
        if raw is not None:
            check(server.name, raw, server.raw_scores)
            contenders.append(Contender(f"{server.name}, binary", server, server.asked_in_binary))
    return contenders


def check(name: str, request: Request, read: Callable[[bytes], np.ndarray]) -> None:
    """See that a server knows digits."""
    _, shown = digits()
    answer = httpx2.post(request.url, content=request.body, headers=request.headers, timeout=60, trust_env=False)
    assert answer.status_code == 200, f"{name}: {answer.text[:1000]}"
    scores = read(answer.content)
    assert scores.shape == (1000, 10), name
    right = float(np.mean(scores.argmax(axis=1) == shown[:1000]))
    assert right > LEAST_RIGHT, f"{name} is right about {right:.0%} only"


def measure(contenders: list[Contender], arguments: argparse.Namespace) -> None:
    """Put every load on every contender, round by round."""
    rows, _ = digits()
    for load in LOADS:
        requests = [(each, each.request(rows[: load.rows])) for each in contenders]
        for _, request in requests:
            if request is not None:
                put_on(request, load.connections, WARMING_SECONDS)
        for _ in range(arguments.rounds):
            for contender, request in requests:
                if request is not None:
                    contender.take(load, request, arguments.seconds)
        show(contenders, load)


def show(contenders: list[Contender], load: Load) -> None:
    """Print a load's part of the table. Ratios are those of the first contender, the others' way."""
    ours = contenders[0]
    mlserver = next(each for each in contenders if each.name.startswith("MLServer"))
    for each in contenders:
        figures = [f"{each.median(load, 'rate'):,.0f}", *(f"{each.median(load, of):.2f}" for of in ("p50", "p99"))]
        cpu = f"{statistics.median(each.cpu[load]):.2f}"
        ratios = [f"{each.ratio(load, mlserver):.2f}", f"{ours.ratio(load, each):.2f}"]
        print(f"| {' | '.join([str(load), each.name, *figures, cpu, *ratios])} |", flush=True)


def headline(arguments: argparse.Namespace) -> str:
    """Where and how it was measured."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = found[1] if found else platform.processor()
    return (
        f"{dt.datetime.now(dt.UTC).date()}, {processor}, Python {platform.python_version()}; "
        f"{arguments.rounds} rounds of {arguments.seconds:g} s each."
    )


def main() -> None:
    """Measure all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, help="folder with the environments of the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="whole seconds of a load")
    parser.add_argument("--api-processes", type=int, default=1, help="measure ours with so many processes, too")
    arguments = parser.parse_args()
    need_wrk()
    with tempfile.TemporaryDirectory(prefix="backprop-bench-") as folder, ExitStack() as stack:
        contenders = started(stack, Environments(arguments.peers.absolute(), Path(folder)), arguments)
        print(headline(arguments))
        print("\n| load | server | requests/s | p50, ms | p99, ms | CPU, ms a request | ÷ MLServer | ours ÷ it |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        measure(contenders, arguments)


if __name__ == "__main__":
    main()
