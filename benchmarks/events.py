"""What a crowd that follows a job live costs its training, and how soon it hears of costs.

    python -m benchmarks.events [--listeners 500] [--rounds 7] [--seconds 8] [--threads 1] [--shape 1]

In every round the same job trains twice, followed by nobody and followed by all, in turns first. Its rate is the one
that it tells itself. All have come before it begins: until then another job has the worker. The crowd is one process
beside the service, with a connection for each listener, which takes every byte and looks at no more of it than the
beginning of each event: what it takes of the machine is a part of what is measured. A delay is the time from the bell
after a commit to an event in one listener's hands.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from benchmarks.iteration_time import headline
from benchmarks.service_rate import Service, job_body, serving
from benchmarks.shapes import SHAPES, Shape
from infra import redis_server
from infra.bell import channel
from infra.settings import Settings

MOST_SECONDS = 600.0
"""Seconds. A crowd waits for the end of its job no longer."""


class Listener(asyncio.Protocol):
    """One connection of the crowd."""

    def __init__(
        self, request: bytes, arrivals: list[float], begun: asyncio.Future[None], ended: asyncio.Future[None]
    ) -> None:
        self._request = request
        self._arrivals = arrivals
        self._begun = begun
        self._ended = ended
        self._tail = b""
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note when costs come."""
        self.bytes += len(data)
        if not self._begun.done():
            assert data.startswith(b"HTTP/1.1 200"), data
            self._begun.set_result(None)
        with_tail = self._tail + data
        self._tail = with_tail[-len(b"event: cos") :]  # a name may come in two pieces
        if b"event: cost" in with_tail:
            self._arrivals.append(time.monotonic())
        if b"event: end" in with_tail and not self._ended.done():
            self._ended.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """It must have heard of the end."""
        if not self._ended.done():
            self._ended.set_exception(error or EOFError(f"a stream has broken: {self._tail!r}"))


async def crowd(url: str, count: int) -> None:
    """Follow an address with so many connections to its end, and print what they have got as JSON."""
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    listeners = []
    for _ in range(count):
        listener = Listener(request, arrivals, begun := loop.create_future(), ended := loop.create_future())
        await loop.create_connection(_handing(listener), parts.hostname or "", parts.port or 0)
        await begun
        listeners.append((listener, ended))
    print("there", flush=True)
    async with asyncio.timeout(MOST_SECONDS):
        await asyncio.gather(*(ended for _, ended in listeners))
    print(json.dumps({"arrivals": arrivals, "bytes": sum(listener.bytes for listener, _ in listeners)}), flush=True)


def _handing(listener: Listener) -> Callable[[], Listener]:
    return lambda: listener


@contextmanager
def bells(redis_url: str) -> Iterator[list[float]]:
    """When the bell has rung."""
    rung: list[float] = []
    client = redis.Redis.from_url(redis_url)
    subscription = client.pubsub()  # type: ignore[no-untyped-call]
    subscription.subscribe(channel(Settings()))

    def listen() -> None:
        while not over.is_set():
            message = subscription.get_message(timeout=0.1)
            if message and message["type"] == "message":
                rung.append(time.monotonic())

    over = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    yield rung
    over.set()
    thread.join()
    subscription.close()
    client.close()


def train(service: Service, dataset: str, shape: Shape, iterations: int, listeners: int) -> tuple[float, Any]:
    """A job's iterations per second, and what the crowd that followed it has got."""
    body = job_body(dataset, shape, iterations)
    blocking = service.client.jobs.create({**body, "training": {**body["training"], "iterations": 10_000_000}}).id
    job = service.client.job(service.client.jobs.create(body).id)
    heard = None
    if listeners:
        address = f"{service.client.connection.base_url}/v1/jobs/{job.id}/events"
        command = [sys.executable, "-m", "benchmarks.events", "--crowd", address]
        followers = subprocess.Popen([*command, "--listeners", str(listeners)], stdout=subprocess.PIPE, text=True)
        assert followers.stdout is not None
        assert followers.stdout.readline() == "there\n"
        service.client.jobs.cancel(blocking)
        heard = json.loads(followers.stdout.read())
        assert followers.wait() == 0
    else:
        service.client.jobs.cancel(blocking)
    while job.refresh().status in ("queued", "running"):
        time.sleep(0.5)
    assert job.status == "succeeded", job.data
    assert job.data.rate is not None
    return job.data.rate, heard


def delays(rung: list[float], arrivals: list[float]) -> list[float]:
    """Seconds from the bell before each arrival to it, in order."""
    places = ((bisect.bisect_right(rung, at) - 1, at) for at in arrivals)
    return sorted(at - rung[place] for place, at in places if place >= 0)


def measure(arguments: argparse.Namespace) -> None:
    """Print the table."""
    shape = SHAPES[arguments.shape]
    limits = ("BACKPROP_MAX_EVENT_STREAMS", "BACKPROP_MAX_REQUESTS_PER_SECOND")
    variables = {"BACKPROP_TRAINING_THREADS": str(arguments.threads), **dict.fromkeys(limits, "100000")}
    alone: list[float] = []
    followed: list[float] = []
    all_delays: list[float] = []
    sent = 0
    with (
        tempfile.TemporaryDirectory(prefix="backprop-bench-") as folder,
        redis_server.running(Path(folder) / "redis") as redis_url,
        serving("SQLite", {**variables, "BACKPROP_REDIS_URL": redis_url}) as service,
        bells(redis_url) as rung,
    ):
        dataset = service.upload(shape)
        rate, _ = train(service, dataset, shape, shape.iterations, 0)
        iterations = round(arguments.seconds * rate)
        for number in range(arguments.rounds):
            for listeners in (0, arguments.listeners) if number % 2 else (arguments.listeners, 0):
                before = len(rung)
                rate, heard = train(service, dataset, shape, iterations, listeners)
                (followed if listeners else alone).append(rate)
                if heard is not None:
                    all_delays += delays(rung[before:], heard["arrivals"])
                    sent += heard["bytes"]
    ratios = [one / other for one, other in zip(followed, alone, strict=True)]
    all_delays.sort()
    p50, p95, p99 = (all_delays[int(len(all_delays) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    print(headline(arguments.threads))
    print(
        "\n| work | listeners | alone, it/s | followed, it/s | ratio (least, greatest) | delay p50 | p95 | p99 | sent |"
        "\n|---|---|---|---|---|---|---|---|---|"
    )
    rates = f"{statistics.median(alone):,.1f} | {statistics.median(followed):,.1f}"
    print(
        f"| {shape.name} | {arguments.listeners} | {rates} "
        f"| {statistics.median(ratios):.3f} ({min(ratios):.3f}, {max(ratios):.3f}) | {p50:.0f} ms | {p95:.0f} ms "
        f"| {p99:.0f} ms | {sent / arguments.rounds / arguments.seconds / 1e6:.1f} MB/s |"
    )


def main() -> None:
    """Measure, or be the crowd."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long a job trains, roughly")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shape", type=int, default=1, help="place in SHAPES")
    parser.add_argument("--crowd", help="what to follow: this process is the crowd then")
    arguments = parser.parse_args()
    if arguments.crowd:
        asyncio.run(crowd(arguments.crowd, arguments.listeners))
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
