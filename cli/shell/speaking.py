"""How a command reaches the service, and how it ends when that goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from backprop_client import Backprop, BackpropError, ConnectionFailed, DidNotSucceed, Refused, Unauthenticated
from backprop_client.transport.connection import KEY_VARIABLE, URL_VARIABLE
from cli.errors import CommandError
from cli.shell.profile import read_profile, usual_path

FAILED = 1
"""The exit code of what did not succeed. Typer's own for a wrong use is 2."""

DETACHED = 130
"""The exit code of a command that somebody has left with Ctrl-C, while what it followed goes on."""

Url = Annotated[
    str | None,
    typer.Option(help=f"Of the service. [default: {URL_VARIABLE}, the profile, or http://127.0.0.1:8000]"),
]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", help=f"A key of the service. [default: {KEY_VARIABLE}, the profile, or none]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def speaking(url: str | None, api_key: str | None) -> Iterator[Backprop]:
    """A client for one command. What goes wrong ends the command with a sentence and the code `FAILED`."""
    try:
        profile = read_profile(usual_path())
        with Backprop(
            api_key or os.environ.get(KEY_VARIABLE) or profile.api_key,
            url or os.environ.get(URL_VARIABLE) or profile.url,
        ) as client:
            yield client
    except (BackpropError, CommandError, ValueError, TypeError, OSError) as error:
        typer.echo(told(error), err=True)
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        typer.echo(str(error) or "Stopped.", err=True)
        raise typer.Exit(DETACHED) from error


def told(error: Exception) -> str:
    """What a person reads about it: what is wrong, and what to do."""
    if isinstance(error, ConnectionFailed):
        return f"{error} Start a service with `backprop serve`, or say where one is: --url, or {URL_VARIABLE}."
    if isinstance(error, Unauthenticated):
        return f"{error}\nGive a key: --api-key, {KEY_VARIABLE}, or `backprop login`."
    if isinstance(error, Refused | DidNotSucceed) and error.remedy:
        return f"{error}\n{error.remedy}"
    return str(error)
