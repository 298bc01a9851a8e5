"""Iterations per second of jobs through the whole service, against those of the bare core.

    python -m benchmarks.service_rate [--threads 2] [--rounds 5] [--shapes 0,1,…] [--seconds 4]

In every round the bare core, a job recorded in SQLite and a job recorded in PostgreSQL train for as many iterations,
one after the other. Each is a process of its own, and each job goes the way of every job: uploaded data, REST, Redis,
a forked work-horse, every iteration's J in the database. A job's rate is the one that it tells itself: iterations by
the seconds from its first record to its last.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backprop_client import Backprop
from benchmarks.iteration_time import headline, start
from benchmarks.shapes import LEARNING_RATE, SHAPES, Shape
from cli.own_client import client_of
from cli.stack import Stack
from tests.support.postgres import running_postgres


@dataclass
class Service:
    """A running stack, and what its jobs have told.

    Attributes:
        rates: iterations per second, a job each.
    """

    name: str
    client: Backprop
    rates: list[float] = field(default_factory=list)

    def upload(self, shape: Shape) -> str:
        """Upload the shape's data; gives the dataset's id."""
        X, Y = shape.data()
        buffer = io.BytesIO()
        np.savez(buffer, x=X, y=Y)
        return self.client.datasets.create(buffer.getvalue(), file_name="data.npz").id

    def train(self, dataset: str, shape: Shape, iterations: int) -> None:
        """Train for so many iterations, and note the rate."""
        job = self.client.job(self.client.jobs.create(job_body(dataset, shape, iterations)).id)
        while job.refresh().status in ("queued", "running"):
            time.sleep(0.5)  # and follow no stream, which would be measured, too
        assert job.status == "succeeded", job.data
        rows = self.client.jobs.costs(job.id, after=iterations - 2).data
        assert [row.iteration for row in rows] == [iterations - 1, iterations]
        assert job.data.rate is not None
        self.rates.append(job.data.rate)


def job_body(dataset: str, shape: Shape, iterations: int) -> dict[str, Any]:
    """A job that trains the shape's network for so many iterations."""
    layers = [{"units": units, "activation": "sigmoid"} for units in shape.sizes[1:-1]]
    training = {"preset": "tutorial", "iterations": iterations, "learning_rate": LEARNING_RATE, "init": "uniform"}
    return {
        "dataset_id": dataset,
        "task": "regression",
        "targets": [f"y_{number}" for number in range(1, shape.sizes[-1] + 1)],
        "scaling": "none",
        "network": {"layers": [*layers, {"activation": "sigmoid"}]},
        "training": {**training, "dtype": shape.dtype},
    }


@contextmanager
def serving(name: str, variables: dict[str, str]) -> Iterator[Service]:
    """A stack of its own, whose settings are those of the environment and these."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="backprop-bench-") as folder,
            Stack("127.0.0.1", 0, Path(folder), 1, log_level="WARNING") as stack,
            client_of(stack.url, timeout=300) as client,
        ):
            yield Service(name, client)
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(place: int, services: list[Service], arguments: argparse.Namespace) -> None:
    """Print a row of the table for each database."""
    shape = SHAPES[place]
    core = start("backprop", place, sys.executable, arguments.threads)
    core.advance(shape.iterations)
    seconds, _ = core.advance(shape.iterations)
    iterations = max(20, round(arguments.seconds * shape.iterations / seconds))
    datasets = [service.upload(shape) for service in services]
    core_rates = []
    for service in services:
        service.rates.clear()
    for _ in range(arguments.rounds):
        seconds, _ = core.advance(iterations)
        core_rates.append(iterations / seconds)
        for service, dataset in zip(services, datasets, strict=True):
            service.train(dataset, shape, iterations)
    core.process.communicate()
    for service in services:
        ratio = statistics.median(mine / core for mine, core in zip(service.rates, core_rates, strict=True))
        print(
            f"| {shape.name} | {service.name} | {iterations:,} | {statistics.median(core_rates):,.1f} | "
            f"{statistics.median(service.rates):,.1f} | {ratio:.3f} |",
            flush=True,
        )


def main() -> None:
    """Measure the shapes that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a job trains, roughly")
    parser.add_argument("--shapes", default=",".join(map(str, range(len(SHAPES)))), help="places in SHAPES")
    arguments = parser.parse_args()
    print(headline(arguments.threads))
    print("\n| work | database | iterations | core, /s | service, /s | ratio |\n|---|---|---|---|---|---|", flush=True)
    threads = {"BACKPROP_TRAINING_THREADS": str(arguments.threads)}
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        services = [
            stack.enter_context(serving("SQLite", threads)),
            stack.enter_context(serving("PostgreSQL", {**threads, "BACKPROP_DATABASE_URL": postgres.url})),
        ]
        for place in map(int, arguments.shapes.split(",")):
            measure(place, services, arguments)


if __name__ == "__main__":
    main()
