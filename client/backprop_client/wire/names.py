"""Names, tags and texts that people give."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from backprop_client.wire.strict_models import at_most

MOST_TAGS = 100
"""Tags of one thing. A list of things shows them all."""


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must have only printable characters")
    return name


def _storable(text: str) -> str:
    """JSON can spell half of a surrogate pair, which nothing can store, and the zero that PostgreSQL does not."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("has a character that cannot be stored: U+0000, or half of a surrogate pair")
    return text


def _distinct(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(tags)) < len(tags):
        raise ValueError("has a tag twice")
    return tags


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]

Text = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
"""Some sentences for people; line breaks are allowed."""

Tags = Annotated[tuple[Name, ...], at_most(MOST_TAGS), Field(max_length=MOST_TAGS), AfterValidator(_distinct)]
"""Texts by which things are found again, in the order in which they were given."""
