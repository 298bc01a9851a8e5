"""Parts of requests that several namespaces have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx2

Row = Mapping[str, Any] | Sequence[Any]
"""A row to predict for: an object from column to value, or the values in the order of the model's inputs."""


def quoted(part: str | int) -> str:
    """A part of an address.

    Raises:
        ValueError: with it, the address would be another one.
    """
    if part in ("", ".", ".."):
        raise ValueError(f"{part!r} is no id, and no name.")
    return quote(str(part), safe="@")


def whole(response: httpx2.Response) -> bytes:
    """Reads an answer that is a file."""
    return response.content


def accepting(media_type: str) -> dict[str, str]:
    """The header of a request for an answer of that type. What is wrong is told in JSON all the same."""
    return {"Accept": media_type}


def conditions(if_match: str | None, if_none_match: str | None) -> dict[str, str]:
    """The headers of a request that is to be carried out in one state of things only."""
    given = {"If-Match": if_match, "If-None-Match": if_none_match}
    return {name: value for name, value in given.items() if value is not None}
