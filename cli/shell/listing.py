"""Commands that show what there is, and put it in order: datasets, jobs, models, the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from backprop_client import Backprop
from backprop_client.wire.jobs import Status
from cli.shell.printing import as_json, as_lines, as_table
from cli.shell.speaking import ApiKey, AsJson, Url, speaking

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most, the newest first.")]
Tag = Annotated[list[str] | None, typer.Option(help="Only those with this tag. Several times for several.")]
Text = Annotated[str | None, typer.Option("--q", help="Only those with this text in their name or note.")]

datasets = typer.Typer(help="Tables to learn from.", no_args_is_help=True)
jobs = typer.Typer(help="Training jobs.", no_args_is_help=True)
models = typer.Typer(help="Trained models.", no_args_is_help=True)
registry = typer.Typer(help="Models under names, with versions and aliases.", no_args_is_help=True)

Columns = list[tuple[str, Callable[[Any], object]]]

DATASETS: Columns = [
    ("id", lambda each: each.id),
    ("name", lambda each: each.name),
    ("rows", lambda each: each.rows),
    ("format", lambda each: each.format),
    ("tags", lambda each: each.tags),
    ("created", lambda each: each.created_at),
]
JOBS: Columns = [
    ("id", lambda each: each.id),
    ("status", lambda each: each.status),
    ("name", lambda each: each.name),
    ("targets", lambda each: [target.name for target in each.targets]),
    ("iteration", lambda each: each.iteration),
    ("of", lambda each: each.iterations),
    ("J", lambda each: each.cost),
    ("created", lambda each: each.created_at),
]
MODELS: Columns = [
    ("id", lambda each: each.id),
    ("name", lambda each: each.name),
    ("task", lambda each: each.task),
    ("units", lambda each: "-".join(map(str, each.sizes))),
    ("J", lambda each: each.cost),
    ("tags", lambda each: each.tags),
    ("created", lambda each: each.created_at),
]
REGISTERED: Columns = [
    ("name", lambda each: each.name),
    ("versions", lambda each: each.last_version),
    ("aliases", lambda each: [f"{alias.alias} → {alias.version}" for alias in each.aliases]),
    ("description", lambda each: each.description),
]
VERSIONS: Columns = [
    ("version", lambda each: each.version),
    ("model", lambda each: each.model_id),
    ("aliases", lambda each: each.aliases),
    ("created", lambda each: each.created_at),
]


def listed(items: Iterable[BaseModel], limit: int, columns: Columns, as_json_: bool) -> None:
    """Print so many of a list."""
    shown = list(islice(items, limit))
    if as_json_:
        as_json(shown)
    else:
        as_table(shown, columns)


def _show(item: BaseModel, facts: Columns, as_json_: bool, **more: object) -> None:
    if as_json_:
        as_json(item)
    else:
        as_lines({**{name: show(item) for name, show in facts}, **more})


def deleted(what: str, as_json_: bool) -> None:
    """Say that something is deleted."""
    if as_json_:
        as_json({"deleted": what})
    else:
        typer.echo(f"{what} is deleted.")


@datasets.command("list")
def list_datasets(
    limit: Limit = 20,
    tag: Tag = None,
    q: Text = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """The datasets."""
    with speaking(url, api_key) as client:
        listed(client.datasets.list(limit=min(limit, 100), tag=tag, q=q), limit, DATASETS, as_json_)


@datasets.command("upload")
def upload_dataset(
    file: Annotated[Path, typer.Argument(help="With a table: CSV, Parquet, JSON, NPZ, Arrow.", exists=True)],
    name: Annotated[str | None, typer.Option(help="For people. [default: the file's]")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A word for it. Several times for several.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Upload a table."""
    with speaking(url, api_key) as client:
        dataset = client.datasets.create(file, name=name, tags=tag)
        if as_json_:
            as_json(dataset)
            return
        for remark in dataset.remarks:
            typer.echo(remark.message, err=True)
        typer.echo(dataset.id)


@datasets.command("show")
def show_dataset(dataset_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """A dataset and its columns."""
    with speaking(url, api_key) as client:
        dataset = client.datasets.get(dataset_id)
        columns = [f"{each.name} ({each.type})" for each in dataset.columns]
        _show(dataset, DATASETS, as_json_, columns=columns)


@datasets.command("delete")
def delete_dataset(dataset_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Delete a dataset that no job needs."""
    with speaking(url, api_key) as client:
        client.datasets.delete(dataset_id)
        deleted(dataset_id, as_json_)


@jobs.command("list")
def list_jobs(
    limit: Limit = 20,
    status: Annotated[str | None, typer.Option(help="queued, running, succeeded, failed or cancelled.")] = None,
    tag: Tag = None,
    q: Text = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """The jobs."""
    with speaking(url, api_key) as client:
        wanted: Status | None = status  # type: ignore[assignment]  # the service knows which there are
        listed(client.jobs.list(limit=min(limit, 100), status=wanted, tag=tag, q=q), limit, JOBS, as_json_)


@jobs.command("show")
def show_job(job_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """A job, and how far it has come."""
    with speaking(url, api_key) as client:
        job = client.jobs.get(job_id)
        _show(
            job,
            JOBS,
            as_json_,
            dataset=job.dataset_id,
            units="-".join(map(str, job.sizes)),
            model=job.model_id,
            error=None if job.error is None else f"{job.error.code}: {job.error.message}",
            notes=[note.message for note in job.notes],
        )


@jobs.command("delete")
def delete_job(
    job_id: str,
    with_models: Annotated[bool, typer.Option("--with-models", help="And the models that it has left.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Delete an ended job."""
    with speaking(url, api_key) as client:
        client.jobs.delete(job_id, with_models=with_models)
        deleted(job_id, as_json_)


@models.command("list")
def list_models(
    limit: Limit = 20,
    tag: Tag = None,
    q: Text = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """The models."""
    with speaking(url, api_key) as client:
        listed(client.models.list(limit=min(limit, 100), tag=tag, q=q), limit, MODELS, as_json_)


@models.command("show")
def show_model(model: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """A model, by its id or its name in the registry, and how good it is."""
    with speaking(url, api_key) as client:
        data = client.model(model).data
        _show(data, MODELS, as_json_, job=data.job_id, **_metrics(data.metrics))


@models.command("delete")
def delete_model(model_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Delete a model that nothing needs."""
    with speaking(url, api_key) as client:
        client.models.delete(model_id)
        deleted(model_id, as_json_)


def _metrics(metrics: dict[str, Any]) -> dict[str, object]:
    """The metrics that are one number, on the held-out rows where there are any."""
    on = "held_out" if metrics.get("held_out") else "training"
    numbers = {name: value for name, value in (metrics.get(on) or {}).items() if isinstance(value, int | float)}
    return {f"{name} ({on.replace('_', ' ')})": value for name, value in numbers.items()}


@registry.command("list")
def list_registered(limit: Limit = 20, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """The registered models."""
    with speaking(url, api_key) as client:
        listed(client.registry.list(limit=min(limit, 100)), limit, REGISTERED, as_json_)


@registry.command("show")
def show_registered(
    name: str, limit: Limit = 20, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False
) -> None:
    """The versions of a registered model."""
    with speaking(url, api_key) as client:
        listed(client.registry.list_versions(name, limit=min(limit, 100)), limit, VERSIONS, as_json_)


@registry.command("promote")
def promote(
    model: Annotated[str, typer.Argument(help="A model's id, or a registered one.")],
    name: Annotated[str, typer.Argument(help="The name to register it under.")],
    alias: Annotated[str | None, typer.Option(help="That is to point to it.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Make a model a version of a name, and let an alias point to it."""
    with speaking(url, api_key) as client:
        version = _promoted(client, model, name, alias)
        if as_json_:
            as_json(version)
        else:
            typer.echo(f"{name}@v{version.version}" + (f" is {name}@{alias}" if alias else ""))


def _promoted(client: Backprop, model: str, name: str, alias: str | None) -> Any:  # noqa: ANN401
    return client.model(model).promote(name, alias)


@registry.command("delete")
def delete_registered(name: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Delete a name and its versions, not their models."""
    with speaking(url, api_key) as client:
        client.registry.delete(name)
        deleted(name, as_json_)
