"""`backprop keys`: make, list and revoke what lets clients in. They work on the database; no server need run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import inspect

from cli.errors import CommandError
from domain.access import keys
from domain.access.keys import SCOPES, USUAL_SCOPES, Scope
from domain.access.projects import NAME_PATTERN, Project
from infra.data_folder import DataFolderUnusable, open_data_folder
from infra.database import Database
from infra.errors import ServiceError
from infra.settings import Settings
from infra.tables import Key
from migrations.commands import upgrade

commands = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True)

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the database. [default: BACKPROP_DATA_DIR, or data]")
]
OfProject = Annotated[str | None, typer.Option("--project", help="Only the keys of this project.")]


@commands.command()
def create(
    project: Annotated[str, typer.Option(help="Name of the project whose things the key gives access to.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"What it allows: {', '.join(SCOPES)} (all of these, and deleting). Repeat it for several."),
    ] = None,
    expires_in_days: Annotated[
        float | None, typer.Option(min=0, max=36_500, help="After how long it is refused. [default: never]")
    ] = None,
    data: Data = None,
) -> None:
    """Make a key, and print it: this once, since only its hash is stored."""
    with _explained():
        if not re.fullmatch(NAME_PATTERN, project):
            raise CommandError("A project's name has letters, digits, '.', '_' and '-' only, and at most 63 of them.")
        expires_at = None if expires_in_days is None else datetime.now(UTC) + timedelta(days=expires_in_days)
        with _database(data) as database, database.writing() as session:
            made = keys.create(session, Project(project), _scopes(scope), expires_at)
    typer.echo(
        f"This is {made.row.id}, for {', '.join(made.row.scopes)} in the project {project}. It is shown only now:",
        err=True,
    )
    typer.echo(made.text)


@commands.command("list")
def list_keys(project: OfProject = None, data: Data = None) -> None:
    """List keys, oldest first, those that are refused included."""
    with _explained(), _database(data) as database, database.reading() as session:
        rows = keys.list_all(session, None if project is None else Project(project))
    table = Table("id", "project", "scopes", "made", "state", box=None)
    for key in rows:
        table.add_row(key.id, key.project, " ".join(key.scopes), _day(key.created_at), _state(key))
    Console(width=None if Console().is_terminal else 200).print(table)


@commands.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `list` shows it.")], data: Data = None) -> None:
    """Refuse a key from now on. A server that runs does so within a second."""
    with _explained(), _database(data) as database, database.writing() as session:
        if keys.revoke(session, key_id) is None:
            raise CommandError(f"There is no key {key_id}.")
    typer.echo(f"{key_id} is revoked.")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CommandError, DataFolderUnusable, ServiceError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@contextmanager
def _database(data: Path | None) -> Iterator[Database]:
    """The database with its schema: the embedded one is made where it is missing, others are migrated on purpose."""
    settings = Settings() if data is None else Settings(data_dir=data)
    if not settings.database_url:
        open_data_folder(settings.data_dir)
        upgrade(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    try:
        with database.reading() as session:
            if not inspect(session.connection()).has_table(Key.__tablename__):
                raise CommandError("The database has not the newest schema; run `backprop migrate` first.")
        yield database
    finally:
        database.close()


def _scopes(names: list[str] | None) -> list[Scope]:
    if not names:
        return list(USUAL_SCOPES)
    unknown = set(names) - set(SCOPES)
    if unknown:
        raise CommandError(f"There is no scope {sorted(unknown)[0]!r}; there are {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in names]


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "active"
    return f"{'expired' if key.expires_at <= datetime.now(UTC) else 'active until'} {_day(key.expires_at)}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
