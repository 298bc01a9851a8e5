"""`backprop demo`: the whole path over REST, against a stack of its own, on the handwritten digits."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.errors import CommandError
from cli.stack import Stack

DIGITS = Path(__file__).parent / "examples" / "digits.csv"

JOB = {
    "targets": ["digit"],
    "task": "classification",
    "network": {"layers": [{"units": 32, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
    "holdout": 0.2,
    "holdout_by": "random",  # as simple to find again as can be
    "training": {
        "preset": "tutorial",
        "iterations": 5000,
        "learning_rate": 2.0,
        "weight_decay": 1e-5,
        "init": "uniform",
        "seed": 0,
    },
}

WANTED_ACCURACY = 0.95
POLL_SECONDS = 0.2
SHOWN_PREDICTIONS = 8


class DemoError(CommandError):
    """The demonstration did not come to its good end."""


def run_demo() -> None:
    """Start a stack in a temporary folder, train the digits, show predictions, stop the stack.

    Raises:
        DemoError: something on the way failed, or the model is worse than it should be.
        StackError: the stack could not start.
    """
    console = Console()
    console.print("Starting Redis, the database, the API and a worker in a temporary folder …")
    with (
        tempfile.TemporaryDirectory(prefix="backprop-demo-") as folder,
        Stack("127.0.0.1", 0, Path(folder), 1, log_level="WARNING") as stack,
        httpx2.Client(base_url=stack.url, timeout=60, trust_env=False) as api,
    ):
        console.print(f"They listen at {stack.url}.")
        dataset = _upload(api, console)
        job = _train(api, dataset, console)
        model = _json(api.get(f"/v1/models/{job['model_id']}"))
        _show_metrics(model, console)
        _show_predictions(api, model, console)
    console.print("Everything is stopped. `make serve` starts it for your own data.")


def _upload(api: httpx2.Client, console: Console) -> dict[str, Any]:
    with DIGITS.open("rb") as file:
        dataset = _json(api.post("/v1/datasets", files={"file": ("digits.csv", file)}, data={"name": "digits"}))
    console.print(f"Uploaded digits.csv: {dataset['rows']:,} rows of {len(dataset['columns'])} columns.")
    return dataset


def _train(api: httpx2.Client, dataset: dict[str, Any], console: Console) -> dict[str, Any]:
    job = _json(api.post("/v1/jobs", json={"dataset_id": dataset["id"], **JOB}))
    console.print(f"Training a {'-'.join(map(str, job['sizes']))} network on 80 % of them, as {job['id']}.")
    with Progress(
        TextColumn("iteration {task.completed:>5.0f}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("training", total=job["iterations"], figures="")
        while job["status"] in ("queued", "running"):
            time.sleep(POLL_SECONDS)
            job = _json(api.get(f"/v1/jobs/{job['id']}"))
            if job["cost"] is not None:
                rate = f", {job['rate']:,.0f} iterations/s" if job["rate"] else ""
                progress.update(bar, completed=job["iteration"], figures=f"J = {job['cost']:.5f}{rate}")
    if job["status"] != "succeeded":
        raise DemoError(f"The job has {job['status']}: {job['error']}")
    return job


def _show_metrics(model: dict[str, Any], console: Console) -> None:
    training, held_out = (model["metrics"][part]["accuracy"] for part in ("training", "held_out"))
    console.print(f"Accuracy: {training:.1%} of the training rows, {held_out:.1%} of the rows held out.")
    if held_out < WANTED_ACCURACY:
        raise DemoError(f"The accuracy on held-out rows should be at least {WANTED_ACCURACY:.0%}.")


def _show_predictions(api: httpx2.Client, model: dict[str, Any], console: Console) -> None:
    rows = _held_out_rows()[:SHOWN_PREDICTIONS]
    answer = _json(api.post(f"/v1/models/{model['id']}/predict", json={"rows": rows}))
    table = Table("truth", "prediction", "score", title="Some rows that the network has never seen")
    for row, label, scores in zip(rows, answer["predictions"], answer["scores"], strict=True):
        table.add_row(str(row["digit"]), str(label), f"{max(scores):.2f}")
    console.print(table)


def _held_out_rows() -> list[dict[str, int]]:
    """The rows that the job has held out, found again by the documented recipe from its seed."""
    with DIGITS.open(newline="") as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[index] for index in order[: round(0.2 * len(rows))]]


def _json(response: httpx2.Response) -> dict[str, Any]:
    if not response.is_success:
        raise DemoError(f"{response.request.method} {response.request.url.path}: {response.text}")
    answer: dict[str, Any] = response.json()
    return answer
