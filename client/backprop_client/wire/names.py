"""Names, tags and texts that people give."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from backprop_client.wire.strict_models import at_most

MOST_TAGS = 100
"""Tags of one thing. A list of things shows them all."""


REGISTRY_PATTERN = "^[A-Za-z0-9_-]{1,255}$"
"""What registered models and aliases may be called: what needs no quoting in an address."""

_MODEL_ID = re.compile(r"mdl_[0-9A-Z]{26}")
_VERSION = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


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


def _no_model_id(name: str) -> str:
    """An address that takes both an id and a name must not have to choose."""
    if _MODEL_ID.fullmatch(name):
        raise ValueError("has the form of a model's id, and could be taken for one")
    return name


def _no_version(alias: str) -> str:
    """What everybody reads as a version's name must not point to another one."""
    if _VERSION.fullmatch(alias):
        raise ValueError("latest and v<number> are no aliases: they would be read as versions")
    return alias


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]

Text = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
"""Some sentences for people; line breaks are allowed."""

Tags = Annotated[tuple[Name, ...], at_most(MOST_TAGS), Field(max_length=MOST_TAGS), AfterValidator(_distinct)]
"""Texts by which things are found again, in the order in which they were given."""

RegisteredName = Annotated[
    str,
    Field(pattern=REGISTRY_PATTERN, description="What it is asked for by: A-Z a-z 0-9 _ -", examples=["digits"]),
    AfterValidator(_no_model_id),
]

AliasName = Annotated[
    str,
    Field(pattern=REGISTRY_PATTERN, description="A-Z a-z 0-9 _ -; not latest, not v<number>", examples=["production"]),
    AfterValidator(_no_version),
]
