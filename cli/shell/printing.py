"""What commands print: tables and lines for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import typer
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table

Item = TypeVar("Item", bound=BaseModel)

Column = tuple[str, Callable[[Item], object]]
"""The heading of a table's column, and what it shows of an item."""


def as_json(said: BaseModel | Iterable[BaseModel] | object) -> None:
    """Print it as JSON: one object, or an array of objects."""
    typer.echo(json.dumps(_plain(said), ensure_ascii=False, indent=None))


def as_table(items: Iterable[Item], columns: Sequence[tuple[str, Callable[[Item], object]]]) -> None:
    """Print a line for each item. Where nobody looks, cells are separated by tabs and nothing is cut."""
    console = Console()
    rows = [[_cell(show(item)) for _, show in columns] for item in items]
    headings = [heading for heading, _ in columns]
    if not console.is_terminal:
        for row in [headings, *rows]:
            typer.echo("\t".join(row))
        return
    table = Table(*headings, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def as_lines(facts: dict[str, object]) -> None:
    """Print what is known of one thing, a line each."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if value not in (None, (), ""):
            typer.echo(f"{name:<{width}}  {_cell(value)}")


def _plain(said: object) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(said, BaseModel):
        return said.model_dump(mode="json", by_alias=True)
    if isinstance(said, dict | str | int | float | bool | None):
        return said
    assert isinstance(said, Iterable)  # noqa: S101  # there is nothing else
    return [_plain(each) for each in said]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
