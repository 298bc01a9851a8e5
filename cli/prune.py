"""`backprop prune`: let old things go, once. The servers' settings let them do it by themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import Data, explained, opened, settings_of
from cli.errors import CommandError
from infra.logging import configure_logging
from infra.settings import LONGEST_RETENTION_DAYS, Settings

if TYPE_CHECKING:
    from domain.retention.pruning import Old

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS_OF = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

_TOLD = {
    "job": "jobs that failed or were cancelled",
    "model": "models without name, tags and note",
    "costs of job": "jobs whose costs are thinned",
}


def prune(
    older_than: Annotated[str, typer.Option(help="Leave alone what is younger: 30d, 12h, 2w, ….")],
    keep: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Leave alone so many of each project's newest jobs and models. [default: BACKPROP_RETAIN_NEWEST]",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    data: Data = None,
) -> None:
    """Delete old failed and cancelled jobs and old unnamed models, and thin the costs of old jobs.

    What a version, an alias, or a job or prediction that has not ended needs is left alone. Servers may run meanwhile.
    """
    # Not above: these bring NumPy, which a worker, a command of the same program, must import in its own time.
    from domain.retention.pruning import clean_up, foreseen
    from domain.retention.pruning import prune as let_go
    from domain.retention.rules import Rules
    from infra.artifacts import ArtifactStore

    settings = settings_of(data)
    configure_logging(settings)
    with explained():
        rules = Rules.for_everything(_age(older_than), settings.retain_newest if keep is None else keep)
        _require_database(settings)
        with opened(settings) as database:
            if dry_run:
                _tell(foreseen(database, rules), "would go")
                return
            _tell(let_go(database, rules), "gone")
            clean_up(database, ArtifactStore(settings.resolved_artifacts_uri))


def _require_database(settings: Settings) -> None:
    """Refuse a folder without a database: making one there would only hide that it is the wrong folder."""
    if not settings.database_url and not settings.embedded_database.exists():
        raise CommandError(f"There is no database in {settings.data_dir.absolute()}: say with --data where it is.")


def _tell(things: Iterable[Old], verb: str) -> None:
    """A line for each thing as it comes, and how many there were of each kind."""
    counts = Counter[str]()
    for old in things:
        counts[old.what] += 1
        typer.echo(f"{old.what} {old.id} of {old.project}, {old.since:%Y-%m-%d %H:%M}: {verb}")
    for what, told in _TOLD.items():
        typer.echo(f"{counts[what]} {told}")


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise CommandError(f"{text!r} is no age: it is a number and one of {', '.join(_SECONDS_OF)}, such as 30d.")
    age = timedelta(seconds=int(found[1]) * _SECONDS_OF[found[2]])
    if age > timedelta(days=LONGEST_RETENTION_DAYS):
        raise CommandError(f"{text!r} is longer ago than anything: {LONGEST_RETENTION_DAYS} days are the most.")
    return age
