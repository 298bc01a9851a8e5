"""Commands about one training: start it, follow it, end it, let it go on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from backprop_client import Backprop
from backprop_client.handles.job import Job
from backprop_client.wire.events import CostBatch, End, Transition
from cli.shell.printing import as_json
from cli.shell.saying import hidden_of, spec_of
from cli.shell.speaking import DETACHED, FAILED, ApiKey, AsJson, Url, speaking

Watch = Annotated[bool, typer.Option("--watch", help="Follow it to its end.")]
JobId = Annotated[str, typer.Argument(help="The id of a job: job_…")]


def train(
    data: Annotated[str, typer.Argument(help="A file with a table, or the id of a dataset: ds_….")],
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="The column to predict. Several times for several.")
    ] = None,
    hidden: Annotated[
        str | None, typer.Option(help="Units of the hidden layers: 32,16. [default: the network is chosen]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any field of a job: training.iterations=2000, holdout=0.2, name=first."),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="A file with the fields of a job, as JSON.", exists=True, dir_okay=False)
    ] = None,
    watch: Watch = False,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Upload a table and train a network on it."""
    fields = spec_of(spec, settings or [])
    targets = target or fields.pop("targets", None)
    known = fields.pop("dataset_id", None)
    units = hidden_of(hidden)
    with speaking(url, api_key) as client:
        job = client.train(known or data, targets=targets, hidden=units, **fields)
        if watch:
            _follow(client, job, as_json_)
        elif as_json_:
            as_json(job.data)
        else:
            typer.echo(job.id)
            typer.echo(f"It is {job.status}. Follow it: backprop watch {job.id}", err=True)


def watch(job_id: JobId, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Follow a job to its end. Ctrl-C leaves it, and it goes on."""
    with speaking(url, api_key) as client:
        _follow(client, client.job(job_id), as_json_)


def cancel(job_id: JobId, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Ask a job to end."""
    with speaking(url, api_key) as client:
        _tell(client.job(job_id).cancel(), as_json_)


def resume(
    job_id: JobId,
    iterations: Annotated[
        int | None, typer.Option(min=0, help="To so many in all. [default: to as many as before]")
    ] = None,
    watch: Watch = False,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Let an ended job go on."""
    with speaking(url, api_key) as client:
        job = client.job(job_id).resume(iterations)
        if watch:
            _follow(client, job, as_json_)
        else:
            _tell(job, as_json_)


def _tell(job: Job, as_json_: bool) -> None:
    if as_json_:
        as_json(job.data)
    else:
        typer.echo(f"{job.id} is {'being cancelled' if job.data.cancel_requested else job.status}.")


def _follow(client: Backprop, job: Job, as_json_: bool) -> None:
    """Show a job's progress, and its model at the end.

    Raises:
        DidNotSucceed: it has none.
        typer.Exit: it was left, or has ended otherwise, and programs have been told so.
    """
    if as_json_:
        _follow_as_json(client, job)
        return
    try:
        model = job.wait()
    except KeyboardInterrupt:
        typer.echo(f"\nThe training goes on. Come back to it: backprop watch {job.id}", err=True)
        raise typer.Exit(DETACHED) from None
    for note in job.data.notes:
        typer.echo(note.message, err=True)
    typer.echo(model.id)
    if sys.stderr.isatty():
        typer.echo(f"Ask it: backprop predict {model.id} rows.csv -o predictions.csv", err=True)


def _follow_as_json(client: Backprop, job: Job) -> None:
    """A line for each event, with its name."""
    names = {CostBatch: "cost", Transition: "transition", End: "end"}
    try:
        for event in job.events():
            as_json({"event": names.get(type(event), "job"), **event.model_dump(mode="json", by_alias=True)})
    except KeyboardInterrupt:
        raise typer.Exit(DETACHED) from None
    if client.jobs.get(job.id).status != "succeeded":
        raise typer.Exit(FAILED)
