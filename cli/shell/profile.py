"""Where a person's service is, and their key, kept in a file so that it need not be typed."""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path

import typer

from cli.errors import CommandError

FILE = "profile.toml"

_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Profile:
    """What such a file says.

    Attributes:
        url: of the service; None if it does not say.
        api_key: a key of it; None if it does not say.
    """

    url: str | None = None
    api_key: str | None = None


def usual_path() -> Path:
    """Where the file is: in the user's folder for settings."""
    return Path(typer.get_app_dir("backprop")) / FILE


def read_profile(path: Path) -> Profile:
    """What the file says; nothing if there is none.

    Raises:
        CommandError: others may read it, or it is none.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OF_OTHERS and os.name == "posix":
                raise CommandError(f"Others can read {path}, which has a key in it. Run: chmod 600 {path}")
            said = tomllib.load(file)
    except FileNotFoundError:
        return Profile()
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    unknown = said.keys() - {"url", "api_key"}
    if unknown or not all(isinstance(value, str) for value in said.values()):
        raise CommandError(f'{path} has other lines than url = "…" and api_key = "…".')
    return Profile(**said)


def write_profile(path: Path, profile: Profile) -> None:
    """Keep it, for this user alone.

    Raises:
        CommandError: it cannot be written.
    """
    lines = {"url": profile.url, "api_key": profile.api_key}
    text = "".join(f"{name} = {_quoted(value)}\n" for name, value in lines.items() if value is not None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # one that is there keeps its mode
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _quoted(text: str) -> str:
    if any(character in '"\\' or not character.isprintable() for character in text):
        raise CommandError("A URL or a key has no quotes, backslashes or control characters.")
    return f'"{text}"'
