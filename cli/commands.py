"""The `backprop` command, put together. Only this file imports the servers: it starts them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.keys import commands as keys_commands
from cli.prune import prune
from cli.shell.asking import export, predict
from cli.shell.listing import datasets, jobs, models, registry
from cli.shell.login import login
from cli.shell.training import cancel, resume, train, watch
from cli.shell.webhooks import webhooks
from cli.stack import Stack, StopAsked, asked_to_stop_by_signals
from infra.data_folder import DataFolderUnusable, open_data_folder

THROUGH_THE_INTERFACE = "With a service that runs"
"""The heading of these commands in the help."""

app = typer.Typer(help="Train feed-forward neural networks as a service.", no_args_is_help=True)
app.add_typer(keys_commands, name="keys")
app.command()(prune)
for command in (train, watch, cancel, resume, predict, export, login):
    app.command(rich_help_panel=THROUGH_THE_INTERFACE)(command)
for name, commands in (
    ("datasets", datasets),
    ("jobs", jobs),
    ("models", models),
    ("registry", registry),
    ("webhooks", webhooks),
):
    app.add_typer(commands, name=name, rich_help_panel=THROUGH_THE_INTERFACE)

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder for the database, Redis and the datasets. [default: BACKPROP_DATA_DIR, or data]"
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Parent = Annotated[int | None, typer.Option(hidden=True, help="End with the process of this id.")]
ApiProcesses = Annotated[
    int | None,
    typer.Option(
        min=1, help="How many processes answer requests, on one socket. [default: BACKPROP_API_PROCESSES, or 1]"
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="How many jobs train at the same time.")]


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that have an explanation end the command with it, without a traceback."""
    try:
        yield
    except (CommandError, DataFolderUnusable) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port. [default: 8000, or any if that is taken]")] = None,
    data: Data = None,
    workers: Workers = 1,
    api_processes: ApiProcesses = None,
) -> None:
    """Run everything on this machine: API, workers, Redis and SQLite."""
    with (
        _explained(),
        suppress(StopAsked),
        asked_to_stop_by_signals(),
        Stack(host, port, data, workers, api_processes=api_processes) as stack,
    ):
        typer.echo(
            f"Backprop is at {stack.url}, for a browser to open. Its interface for programs is described at "
            f"{stack.url}/docs. Ctrl-C stops it."
        )
        stack.supervise()


@app.command()
def demo() -> None:
    """Train a classifier of handwritten digits from start to end, in a folder of its own that is removed after."""
    from cli.demo import run_demo

    try:
        with _explained(), asked_to_stop_by_signals():
            run_demo()
    except StopAsked:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(1) from None


@app.command()
def api(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    fd: Annotated[int | None, typer.Option(help="Listen on this inherited socket instead.")] = None,
    api_processes: ApiProcesses = None,
    number: Annotated[int | None, typer.Option(hidden=True, help="Be this one of several processes.")] = None,
    counts_fd: Annotated[int | None, typer.Option(hidden=True, help="Share this inherited file with them.")] = None,
    parent: Parent = None,
) -> None:
    """Run the API alone."""
    from infra.blas_threads import keep_blas_single_threaded

    keep_blas_single_threaded()
    from cli.api_processes import run_api_processes
    from cli.exposure import keyless_hosts, listen, refuse_to_serve_others_without_a_key
    from infra.logging import configure_logging
    from infra.processes import end_with_parent
    from infra.settings import Settings

    if parent is not None:
        end_with_parent(parent)
    settings = Settings()
    configure_logging(settings, number)
    with _explained():
        open_data_folder(settings.data_dir)
        listener = listen(host, port) if fd is None else socket.socket(fileno=fd)
        refuse_to_serve_others_without_a_key(listener, settings)
        count = api_processes or settings.api_processes
        if number is None and count > 1:
            with suppress(StopAsked), asked_to_stop_by_signals():
                run_api_processes(listener, count)
            return
    from app.edge.server import serve as serve_api
    from app.edge.sharing import ConnectionCounts
    from app.main import create_app

    shared = None if number is None or counts_fd is None else ConnectionCounts(counts_fd, number - 1)
    serve_api(create_app(settings, keyless_hosts(listener)), listener, settings.slow_body_seconds, shared)


@app.command()
def worker(parent: Parent = None) -> None:
    """Run one worker: it trains one job at a time."""
    from infra.blas_threads import keep_blas_single_threaded

    keep_blas_single_threaded()
    from infra.logging import configure_logging
    from infra.settings import Settings
    from worker.process import run_worker

    settings = Settings()
    configure_logging(settings)
    with _explained():
        if settings.uses_data_folder:
            open_data_folder(settings.data_dir)
    run_worker(settings, parent)


@app.command()
def worker_health() -> None:
    """Exit with 0 if a worker on this host is alive, with 1 otherwise."""
    from infra.settings import Settings
    from worker.health import worker_is_alive

    if not worker_is_alive(Settings()):
        typer.echo("No worker on this host has reported to Redis lately.", err=True)
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from infra.logging import configure_logging
    from infra.settings import Settings
    from migrations.commands import upgrade

    settings = Settings()
    configure_logging(settings)
    with _explained():
        if not settings.database_url:
            open_data_folder(settings.data_dir)
    upgrade(settings.resolved_database_url)
