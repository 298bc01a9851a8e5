"""Names, tags and texts that people give. All are in Unicode's form NFC: an é is the same however it was typed."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from backprop_client.wire.strict_models import at_most

MOST_TAGS = 100
"""Tags of one thing. A list of things shows them all."""

_LAYOUT = "\t\n\r"


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must have only printable characters")
    return name


def _one_word(tag: str) -> str:
    if not tag.isprintable() or "," in tag or any(character.isspace() for character in tag):
        raise ValueError("must have only printable characters, and no spaces or commas")
    return tag


def _readable(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in _LAYOUT for character in text):
        raise ValueError("must have no control characters but line breaks and tabs, and no halves of surrogate pairs")
    return text


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _as_a_set(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(tags)))


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable), AfterValidator(_composed)]

Text = Annotated[str, Field(max_length=10_000), AfterValidator(_readable), AfterValidator(_composed)]
"""Some sentences for people; line breaks are allowed."""

Tag = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_word), AfterValidator(_composed)]
"""A word by which things are found again. It can stand in an address, and in a list with commas."""

Tags = Annotated[tuple[Tag, ...], at_most(MOST_TAGS), Field(max_length=MOST_TAGS), AfterValidator(_as_a_set)]
"""A set of tags, sorted."""
