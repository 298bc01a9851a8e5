"""How the time of one iteration grows with the examples, the units and the depth; a table, and a plot of it.

    python -m benchmarks.growth [--threads 2] [--rounds 7] [--plot benchmarks/growth.png]

All sizes take turns, round after round; medians are over the rounds. Sigmoid units, squared error, full batch, float32.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from backprop.passes.usual import usual_pass
from backprop.training import Record, Run, Training
from benchmarks.iteration_time import headline
from benchmarks.shapes import LEARNING_RATE, Shape

ROUND_SECONDS = 0.25
"""How long a size trains in each round, at least one iteration."""


@dataclass
class Size:
    """One point of a curve: a training in progress and its times of one iteration."""

    x: int
    shape: Shape
    seconds: list[float] = field(default_factory=list)
    records: Iterator[Record] = field(default_factory=lambda: iter(()))

    def begin(self, threads: int) -> None:
        """Set up the training, and take two iterations to warm up."""
        X, Y = self.shape.data()
        training = Training(iterations=10**9, learning_rate=LEARNING_RATE)
        pass_ = usual_pass(self.shape.network(), X, Y, training.objective(), threads=threads)
        run = Run(training, pass_, parameters=self.shape.start())
        self.records = run.records()
        list(islice(self.records, 2))

    def train(self) -> None:
        """Train for a round."""
        iterations = 0
        before = time.perf_counter()
        while (elapsed := time.perf_counter() - before) < ROUND_SECONDS:
            next(self.records)
            iterations += 1
        self.seconds.append(elapsed / iterations)


def curves() -> dict[str, list[Size]]:
    """Every curve by what grows along it."""
    examples = [300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    units = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    depths = [1, 2, 3, 4, 6, 8, 12]
    return {
        "examples m, 64-25-64": [Size(m, Shape(m, (64, 25, 64), "float32", 1)) for m in examples],
        "hidden units u, 10,000 × 64-u-10": [Size(u, Shape(10_000, (64, u, 10), "float32", 1)) for u in units],
        "hidden layers, 10,000 × 64-64-…-10": [
            Size(d, Shape(10_000, (64, *[64] * d, 10), "float32", 1)) for d in depths
        ],
    }


def table(name: str, sizes: list[Size]) -> None:
    """Print a curve: the time, and what it is of the work."""
    print(f"\n| {name} | median | per example | Gflop/s |\n|---|---|---|---|")
    for size in sizes:
        seconds = statistics.median(size.seconds)
        print(
            f"| {size.x:,} | {seconds * 1e3:.3f} ms | {seconds / size.shape.m * 1e9:.1f} ns "
            f"| {size.shape.flops / seconds / 1e9:.0f} |"
        )


def plot(all_curves: dict[str, list[Size]], path: Path, title: str) -> None:
    """Draw the curves, both axes logarithmic, beside lines of exact proportion."""
    figure, axes = plt.subplots(1, len(all_curves), figsize=(15, 4.5), layout="constrained")
    for axis, (name, sizes) in zip(axes, all_curves.items(), strict=True):
        x = [size.x for size in sizes]
        y = [statistics.median(size.seconds) * 1e3 for size in sizes]
        axis.loglog(x, y, "o-", label="measured")
        axis.loglog(x, [y[-1] * each / x[-1] for each in x], "--", color="gray", label="in proportion")
        axis.set(xlabel=name, ylabel="ms an iteration")
        axis.grid(visible=True, which="both", alpha=0.3)
        axis.legend()
    figure.suptitle(title)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Measure all curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plot", type=Path, default=Path("benchmarks/growth.png"))
    arguments = parser.parse_args()
    title = headline(arguments.threads)
    print(title)
    all_curves = curves()
    for sizes in all_curves.values():
        for size in sizes:
            size.begin(arguments.threads)
        for _ in range(arguments.rounds):
            for size in sizes:
                size.train()
        for size in sizes:
            size.records = iter(())  # closes the training
    for name, sizes in all_curves.items():
        table(name, sizes)
    plot(all_curves, arguments.plot, title)


if __name__ == "__main__":
    main()
