"""The database for commands that work on it directly; no server need run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import inspect

from cli.errors import CommandError
from infra.data_folder import DataFolderUnusable, open_data_folder
from infra.database import Database
from infra.errors import ServiceError
from infra.settings import Settings
from infra.tables import Base
from migrations.commands import upgrade

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the database. [default: BACKPROP_DATA_DIR, or data]")
]


def settings_of(data: Path | None) -> Settings:
    """The settings, with that folder if one is given."""
    return Settings() if data is None else Settings(data_dir=data)


@contextmanager
def explained() -> Iterator[None]:
    """Errors that have an explanation end the command with it, without a traceback."""
    try:
        yield
    except (CommandError, DataFolderUnusable, ServiceError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database with its schema: the embedded one is made where it is missing, others are migrated on purpose."""
    if not settings.database_url:
        open_data_folder(settings.data_dir)
        upgrade(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    try:
        with database.reading() as session:
            there = set(inspect(session.connection()).get_table_names())
            if not there >= Base.metadata.tables.keys():
                raise CommandError("The database has not the newest schema; run `backprop migrate` first.")
        yield database
    finally:
        database.close()
