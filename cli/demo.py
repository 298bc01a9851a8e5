"""`backprop demo`: the whole path over REST, against a stack of its own, on the handwritten digits."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backprop_client import Backprop, BackpropError
from backprop_client.wire.models import ModelOut
from cli.errors import CommandError
from cli.own_client import client_of
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
        client_of(stack.url) as client,
    ):
        console.print(f"They listen at {stack.url}.")
        try:
            _demonstrate(client, console)
        except BackpropError as error:
            raise DemoError(str(error)) from error
    console.print("Everything is stopped. `make serve` starts it for your own data.")


def _demonstrate(client: Backprop, console: Console) -> None:
    dataset = client.datasets.create(DIGITS, name="digits")
    console.print(f"Uploaded digits.csv: {dataset.rows:,} rows of {len(dataset.columns)} columns.")
    model = _train(client, dataset.id, console)
    _show_metrics(model, console)
    _show_predictions(client, model, console)


def _train(client: Backprop, dataset_id: str, console: Console) -> ModelOut:
    """Train, and show how it goes. Raises DidNotSucceed: there is no model."""
    job = client.jobs.create(JOB, dataset_id=dataset_id)
    console.print(f"Training a {'-'.join(map(str, job.sizes))} network on 80 % of them, as {job.id}.")
    with Progress(
        TextColumn("iteration {task.completed:>5.0f}/{task.total:.0f}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("training", total=job.iterations, figures="")
        while job.status in ("queued", "running"):
            time.sleep(POLL_SECONDS)
            job = client.jobs.get(job.id)
            if job.cost is not None:
                rate = f", {job.rate:,.0f} iterations/s" if job.rate else ""
                progress.update(bar, completed=job.iteration, figures=f"J = {job.cost:.5f}{rate}")
    return client.job(job.id).wait(progress=False).data


def _show_metrics(model: ModelOut, console: Console) -> None:
    training, held_out = (model.metrics[part]["accuracy"] for part in ("training", "held_out"))
    console.print(f"Accuracy: {training:.1%} of the training rows, {held_out:.1%} of the rows held out.")
    if held_out < WANTED_ACCURACY:
        raise DemoError(f"The accuracy on held-out rows should be at least {WANTED_ACCURACY:.0%}.")


def _show_predictions(client: Backprop, model: ModelOut, console: Console) -> None:
    rows = _held_out_rows()[:SHOWN_PREDICTIONS]
    answer = client.models.predict(model.id, rows)
    table = Table("truth", "prediction", "score", title="Some rows that the network has never seen")
    for row, label, scores in zip(rows, answer.predictions, answer.scores or (), strict=True):
        table.add_row(str(row["digit"]), str(label), f"{max(scores):.2f}")
    console.print(table)


def _held_out_rows() -> list[dict[str, int]]:
    """The rows that the job has held out, found again by the documented recipe from its seed."""
    with DIGITS.open(newline="") as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[index] for index in order[: round(0.2 * len(rows))]]
