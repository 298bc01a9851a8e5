"""What a person says of a job on the command line: `--set`, `--spec`, `--hidden`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

WRITTEN_TWICE = {"dataset_id", "targets", "network"}
"""Fields of a job that have an option or an argument of their own."""


def spec_of(file: Path | None, settings: Sequence[str]) -> dict[str, Any]:
    """The fields of a job: those in a file, and on top of them those that were set one by one.

    Raises:
        typer.BadParameter: the file has no JSON object, or a setting is none.
    """
    spec = {} if file is None else _read(file)
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not all(path.split(".")):
            raise typer.BadParameter(f"{setting!r} is not of the form training.iterations=2000.", param_hint="--set")
        _set(spec, path.split("."), _value(value), setting)
    return spec


def hidden_of(text: str | None) -> list[int] | None:
    """The units of each hidden layer: ``32,16``; none for an empty text.

    Raises:
        typer.BadParameter: they are no numbers.
    """
    if text is None:
        return None
    try:
        return [int(units) for units in text.split(",")] if text.strip() else []
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not of the form 32,16.", param_hint="--hidden") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        spec = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}", param_hint="--spec") from error
    if not isinstance(spec, dict):
        raise typer.BadParameter(f"{file} has no JSON object.", param_hint="--spec")
    return spec


def _set(spec: dict[str, Any], path: list[str], value: object, setting: str) -> None:
    *outer, last = path
    for name in outer:
        inner = spec.setdefault(name, {})
        if not isinstance(inner, dict):
            raise typer.BadParameter(f"{setting!r} goes into {name}, which is no object.", param_hint="--set")
        spec = inner
    spec[last] = value


def _value(text: str) -> object:
    """A value as JSON has it; what is no JSON is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
