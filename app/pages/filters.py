"""Parameters that forms put into addresses, above all what lists are filtered by.

A browser sends the fields that are left empty, too: they say nothing.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator

from app.v1.parameters import ID_PATTERN
from backprop_client.wire.names import Name, Tag


def _none_if_empty(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


NoneIfEmpty = BeforeValidator(_none_if_empty)
"""For a parameter of an address."""

SearchedText = Annotated[Name | None, NoneIfEmpty, Query()]
"""Text that is in what is said of a thing."""

SearchedTag = Annotated[Tag | None, NoneIfEmpty, Query()]
"""A tag that a thing has."""

AfterId = Annotated[str | None, Query(pattern=ID_PATTERN)]
"""The id that the page before ended with; None for the first page."""
