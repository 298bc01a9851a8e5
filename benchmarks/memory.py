"""Memory of a training on a mapped dataset larger than the memory there is: a limit that the kernel enforces.

    python -m benchmarks.memory [--limit-mib 512] [--folder /tmp]        as root, with a memory controller for cgroups

A process in a control group of its own trains a 64-25-64 autoencoder on files of a quarter of the limit, all of it, and
four times it. What it allocates itself must not grow with the file; pages of the file come and go.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from backprop.network import Layer, Network, initial_parameters
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training
from benchmarks.iteration_time import headline

INPUTS = 64
ITERATIONS = 3
V1 = Path("/sys/fs/cgroup/memory")
V2 = Path("/sys/fs/cgroup")


@contextmanager
def limited_group(limit: int) -> Iterator[Path]:
    """A control group whose processes may have no more memory than that, pages of files included."""
    old = V1.is_dir()
    group = (V1 if old else V2) / "backprop-benchmark"
    group.mkdir()
    try:
        (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(limit))
        yield group
    finally:
        group.rmdir()


def write_rows(path: Path, size: int) -> int:
    """Write a matrix of random rows of about that many bytes; gives their number."""
    rows = size // (4 * INPUTS)
    block = np.random.default_rng(0).random((2**16, INPUTS), np.float32)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, INPUTS)})
        for start in range(0, rows, len(block)):
            file.write(block[: rows - start].tobytes())
    return rows


def train(path: Path, threads: int) -> None:
    """Be the process that is measured: print its own memory in MiB before and at the end, and seconds an iteration."""
    X = np.load(path, mmap_mode="r")
    network = Network(INPUTS, (Layer(25, "sigmoid"), Layer(INPUTS, "sigmoid")))
    start = initial_parameters(network, init="uniform", seed=0, dtype="float32")
    before = own_memory()
    training = Training(iterations=ITERATIONS)
    run = Run(training, usual_pass(network, X, X, training.objective(), threads=threads), parameters=start)
    began = time.perf_counter()
    most = 0.0
    for _ in islice(run.records(), ITERATIONS):
        most = max(most, own_memory())
    print(before, most, (time.perf_counter() - began) / ITERATIONS)


def own_memory() -> float:
    """MiB of this process that are no pages of files."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def main() -> None:
    """Measure three sizes under one limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit-mib", type=int, default=512)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train is not None:
        train(arguments.train, arguments.threads)
        return
    limit = arguments.limit_mib * 2**20
    print(headline(arguments.threads))
    print(
        f"\n| file, limit {arguments.limit_mib} MiB | rows | own memory before | own memory at most | s an iteration |"
    )
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, limited_group(limit) as group:
        for share in (0.25, 1, 4):
            path = Path(folder) / "rows.npy"
            rows = write_rows(path, int(share * limit))
            command = [sys.executable, "-m", "benchmarks.memory", "--threads", str(arguments.threads), "--train", path]
            joined = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, *command]
            answer = subprocess.run(joined, check=True, capture_output=True, text=True).stdout
            before, most, seconds = map(float, answer.split())
            print(
                f"| {share * arguments.limit_mib:,.0f} MiB | {rows:,} | {before:.0f} | {most:.0f} | {seconds:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
