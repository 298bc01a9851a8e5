"""`backprop keys`: make, list and revoke what lets clients in. They work on the database; no server need run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.database import Data, explained, opened, settings_of
from cli.errors import CommandError
from domain.access import keys
from domain.access.keys import SCOPES, USUAL_SCOPES, Scope
from domain.access.projects import NAME_PATTERN, Project
from infra.tables import Key

commands = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True)

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
    with explained():
        if not re.fullmatch(NAME_PATTERN, project):
            raise CommandError("A project's name has letters, digits, '.', '_' and '-' only, and at most 63 of them.")
        expires_at = None if expires_in_days is None else datetime.now(UTC) + timedelta(days=expires_in_days)
        with opened(settings_of(data)) as database, database.writing() as session:
            made = keys.create(session, Project(project), _scopes(scope), expires_at)
    typer.echo(
        f"This is {made.row.id}, for {', '.join(made.row.scopes)} in the project {project}. It is shown only now:",
        err=True,
    )
    typer.echo(made.text)


@commands.command("list")
def list_keys(project: OfProject = None, data: Data = None) -> None:
    """List keys, oldest first, those that are refused included."""
    with explained(), opened(settings_of(data)) as database, database.reading() as session:
        rows = keys.list_all(session, None if project is None else Project(project))
    table = Table("id", "project", "scopes", "made", "state", box=None)
    for key in rows:
        table.add_row(key.id, key.project, " ".join(key.scopes), _day(key.created_at), _state(key))
    Console(width=None if Console().is_terminal else 200).print(table)


@commands.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `list` shows it.")], data: Data = None) -> None:
    """Refuse a key from now on. A server that runs does so within a second."""
    with explained(), opened(settings_of(data)) as database, database.writing() as session:
        if keys.revoke(session, key_id) is None:
            raise CommandError(f"There is no key {key_id}.")
    typer.echo(f"{key_id} is revoked.")


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
