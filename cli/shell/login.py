"""The command that keeps a service's address and a key for later commands."""

from __future__ import annotations

from typing import Annotated

import typer

from backprop_client import Backprop
from cli.errors import CommandError
from cli.shell.profile import Profile, usual_path, write_profile
from cli.shell.speaking import FAILED, speaking


def login(
    url: Annotated[str, typer.Option(prompt="Address of the service", help="Of the service.")],
    api_key: Annotated[
        str, typer.Option("--api-key", prompt="Key (none: just Enter)", hide_input=True, help="A key of it.")
    ] = "",
) -> None:
    """Keep the address of a service and a key in a file that only you can read."""
    with speaking(url, api_key or None) as client:
        _try(client)
    try:
        write_profile(usual_path(), Profile(url, api_key or None))
    except CommandError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    typer.echo(f"Kept in {usual_path()}.")


def _try(client: Backprop) -> None:
    """Raises Refused: the key is no good one."""
    client.jobs.list(limit=1)
