"""Time of one full-batch iteration, side by side with PyTorch, JAX and scikit-learn.

    python -m benchmarks.iteration_time [--peers PYTHON] [--threads 2] [--rounds 15] [--shapes 0,1,…]

Every contender is a process of its own, and all take turns, round after round, so that whatever else the machine does
hits all alike; medians are over the rounds. First all must show the same J from the same initial parameters.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.contenders import CONTENDERS
from benchmarks.shapes import SHAPES, Shape

AGREEMENT = {"float32": 2e-4, "float64": 1e-9}
"""How far apart J may be, relatively, after a few iterations."""

SETTLING_SECONDS = 0.3
"""Before each turn: threads of OpenMP and BLAS look for more work for a while, on the processors of whoever is next."""


@dataclass
class Contender:
    """A running contender and its times of one iteration."""

    name: str
    process: subprocess.Popen[str]
    seconds: list[float] = field(default_factory=list)

    def advance(self, iterations: int) -> tuple[float, list[float]]:
        """Let it train: the seconds it took, J before each iteration."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{iterations}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["seconds"], answer["costs"]


def start(name: str, place: int, peers: str, threads: int) -> Contender:
    """Start a contender: ours in this environment, the others in theirs."""
    python = sys.executable if name.startswith("backprop") else peers
    command = [python, "-m", "benchmarks.contenders", name, str(place), str(threads)]
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits}
    )
    return Contender(name, process)


def agree(contenders: list[Contender], shape: Shape) -> None:
    """Check that contenders with the same output layer show the same J for the first iterations."""
    costs = {contender.name: contender.advance(5)[1] for contender in contenders}
    for name, J in costs.items():
        ours = costs["backprop (linear output)" if "linear" in name else "backprop"]
        worst = max(abs(a - b) / abs(b) for a, b in zip(J, ours, strict=True))
        if not worst < AGREEMENT[shape.dtype]:
            raise SystemExit(f"{name} is not doing the same work: J differs by {worst:.1e}: {J} instead of {ours}")
        print(f"  J of the first 5 iterations, {name}: {J[0]:.7g} … {J[-1]:.7g}, within {worst:.1e} of ours")


def matrix_product_peak(dtype: str) -> float:
    """Flops a second of NumPy's product of large square matrices, on all threads: the best of several."""
    n = 2000
    A = np.ones((n, n), dtype)
    B, out = A.copy(), A.copy()
    best = math.inf
    for _ in range(8):
        before = time.perf_counter()
        np.matmul(A, B, out=out)
        best = min(best, time.perf_counter() - before)
    return 2 * n**3 / best


def measure(place: int, names: list[str], peers: str, threads: int, rounds: int) -> None:
    """Print the table of one shape."""
    shape = SHAPES[place]
    print(f"\n{shape.name}")
    contenders = [start(name, place, peers, threads) for name in names]
    agree(contenders, shape)
    peak = matrix_product_peak(shape.dtype)
    for turn in range(rounds + 1):
        for contender in contenders:
            time.sleep(SETTLING_SECONDS)
            seconds, _ = contender.advance(shape.iterations)
            if turn > 0:  # the first warms up: compilers and caches
                contender.seconds.append(seconds / shape.iterations)
    for contender in contenders:
        contender.process.communicate()
    ours = next(contender for contender in contenders if contender.name == "backprop")
    print(f"\n| {shape.name} | median | quartiles | ÷ ours | of matmul peak |\n|---|---|---|---|---|")
    for contender in contenders:
        low, median, high = statistics.quantiles(contender.seconds, n=4)
        ratio = statistics.median(t / o for t, o in zip(contender.seconds, ours.seconds, strict=True))
        print(
            f"| {contender.name} | {_time(median)} | {_time(low)}–{_time(high)} | {ratio:.2f} | "
            f"{shape.flops / median / peak:.0%} |"
        )


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def headline(threads: int) -> str:
    """When, on what and with what it is measured."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next(line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name"))
    return f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores, {threads} threads each"


def main() -> None:
    """Measure the shapes that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="the Python that has the peers installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--shapes", default=",".join(map(str, range(len(SHAPES)))), help="places in SHAPES")
    parser.add_argument("--without", default="", help="contenders to leave out, separated by ;")
    arguments = parser.parse_args()
    names = [name for name in CONTENDERS if name not in arguments.without.split(";")]
    print(headline(arguments.threads))
    for place in map(int, arguments.shapes.split(",")):
        measure(place, names, arguments.peers, arguments.threads, arguments.rounds)


if __name__ == "__main__":
    main()
