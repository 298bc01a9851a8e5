"""Queued predictions of a large dataset: rows a second, and the most memory that worker and API take.

A stack of its own: SQLite, a local store, a Redis, the API and one worker, each a process. A small model is trained on
a small table, then asked for the predictions of a large one; these are fetched as CSV and as Parquet, alone and with
the inputs beside them. Prints a table::

    python -m benchmarks.dataset_predictions --rows 10000000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from pyarrow import parquet

from backprop_client import Backprop, ConnectionFailed, ServerFailed
from cli.own_client import client_of
from infra import redis_server

COLUMNS = 8
PIECE_ROWS = 1_000_000
TRAINING_ROWS = 10_000
TYPES = {"CSV": "text/csv", "Parquet": "application/vnd.apache.parquet"}


class Watched:
    """The most memory that a process and its children have had together, of their own."""

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self._process = psutil.Process(pid)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            now = self._now()
            self.most = max(self.most, now)
            time.sleep(0.02)

    def _now(self) -> float:
        total = 0
        try:
            for each in (self._process, *self._process.children(recursive=True)):
                total += each.memory_full_info().uss
        except psutil.Error:
            return 0.0
        return total / 2**20

    def forget(self) -> None:
        """Begin anew."""
        self.most = 0.0


def write_table(path: Path, rows: int) -> None:
    """Numbers, and a target that follows from them."""
    generator = np.random.default_rng(0)
    names = [f"x_{index}" for index in range(COLUMNS)]
    schema = pa.schema([(name, pa.float64()) for name in [*names, "y"]])
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, PIECE_ROWS):
            x = generator.normal(size=(COLUMNS, min(PIECE_ROWS, rows - start)))
            writer.write_table(pa.table([*x, x.sum(axis=0)], schema=schema), row_group_size=100_000)


@contextmanager
def stack(folder: Path) -> Iterator[tuple[Backprop, Watched, Watched]]:
    """A client of a fresh API, and the memory of API and worker."""
    with ExitStack() as running:
        redis_url = running.enter_context(redis_server.running(folder / "redis"))
        environment = os.environ | {"BACKPROP_DATA_DIR": str(folder), "BACKPROP_REDIS_URL": redis_url}
        subprocess.run([sys.executable, "-m", "cli", "migrate"], env=environment, check=True)
        processes = [
            subprocess.Popen([sys.executable, "-m", "cli", *arguments], env=environment)
            for arguments in (("api", "--port", "8765"), ("worker",))
        ]
        for process in processes:
            running.callback(process.wait)
            running.callback(process.terminate)
        client = running.enter_context(client_of("http://127.0.0.1:8765", timeout=1800))
        until(lambda: reachable(client))
        yield client, Watched(processes[0].pid), Watched(processes[1].pid)


def reachable(client: Backprop) -> bool:
    """Whether the API answers."""
    try:
        client.health.ready()
    except (ConnectionFailed, ServerFailed):
        return False
    return True


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is true."""
    while not condition():
        time.sleep(0.1)


def predict(client: Backprop, model_id: str, dataset_id: str) -> str:
    """Predict for all rows of a dataset; gives the prediction's id."""
    queued = client.predictions.create(model_id=model_id, dataset_id=dataset_id)
    until(lambda: client.predictions.get(queued.id).status not in ("queued", "running"))
    done = client.predictions.get(queued.id)
    assert done.status == "succeeded", done.error
    return done.id


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    arguments = parser.parse_args()
    rows = arguments.rows
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        write_table(folder / "small.parquet", TRAINING_ROWS)
        write_table(folder / "large.parquet", rows)
        with stack(folder) as (client, api, worker):
            job = client.jobs.create(
                dataset_id=client.datasets.create(folder / "small.parquet").id,
                targets=["y"],
                network={"layers": [{"units": 16, "activation": "tanh"}, {"activation": "linear"}]},
                training={"iterations": 100, "learning_rate": 0.05, "init": "uniform"},
            )
            model = client.job(job.id).wait(progress=False)
            dataset = client.datasets.create(folder / "large.parquet")
            api.forget()
            worker.forget()
            began = time.perf_counter()
            prediction_id = predict(client, model.id, dataset.id)
            seconds = time.perf_counter() - began
            print(f"\n{rows:,} rows x {COLUMNS} columns, network {COLUMNS}-16-1, float64\n")
            print("| what | seconds | rows/s | bytes | worker, MiB | API, MiB |")
            print("|---|---|---|---|---|---|")
            print(
                f"| predicted | {seconds:.1f} | {rows / seconds:,.0f} | | {worker.most:.0f} | {api.most:.0f} |",
                flush=True,
            )
            for kind, media_type in TYPES.items():
                for with_inputs in (False, True):
                    api.forget()
                    seconds, size = fetched(client, prediction_id, media_type, with_inputs)
                    told = f"fetched as {kind}" + (", with the inputs" if with_inputs else "")
                    print(
                        f"| {told} | {seconds:.1f} | {rows / seconds:,.0f} | {size:,} | | {api.most:.0f} |", flush=True
                    )


def fetched(client: Backprop, prediction_id: str, media_type: str, with_inputs: bool) -> tuple[float, int]:
    """Seconds and bytes."""
    began = time.perf_counter()
    rows = client.predictions.rows(prediction_id, with_inputs=with_inputs, accept=media_type)
    size = sum(map(len, rows.chunks()))
    return time.perf_counter() - began, size


if __name__ == "__main__":
    main()
