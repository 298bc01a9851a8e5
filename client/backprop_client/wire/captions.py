"""What people say of datasets, jobs and models: a name, tags and a note."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from backprop_client.wire.names import Name, composed
from backprop_client.wire.strict_models import StrictModel, at_most

MOST_TAGS = 50

MOST_FILTERED_TAGS = 20
"""Tags. One request for a list may name so many; each is looked up."""

_LAYOUT = "\n\t"


def _one_word(tag: str) -> str:
    if not tag.isprintable() or "," in tag or any(character.isspace() for character in tag):
        raise ValueError("must have only printable characters, and no spaces or commas")
    return tag


def _no_control_characters(note: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in _LAYOUT for character in note):
        raise ValueError("must have no control characters but line feeds and tabs")
    return note


def _as_a_set(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(tags)))


Tag = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_word), AfterValidator(composed)]
Tags = Annotated[tuple[Tag, ...], at_most(MOST_TAGS), AfterValidator(_as_a_set)]
Note = Annotated[
    str, Field(min_length=1, max_length=10_000), AfterValidator(_no_control_characters), AfterValidator(composed)
]

NAME = "For people; need not be unique."
TAGS = f"A set of words without spaces and commas; at most {MOST_TAGS}."
NOTE = "For people: any text."


class CaptionPatch(StrictModel):
    """What is to be changed. What is left out stays, and null clears."""

    name: Name | None = Field(None, description=f"{NAME} A dataset without one is called as its file was.")
    tags: Tags | None = Field(None, description=f"{TAGS} They replace those that were there.")
    note: Note | None = Field(None, description=NOTE)


class Captioned(BaseModel):
    """A thing that people may have said something of."""

    name: str | None = Field(description="What people call it; need not be unique.")
    tags: tuple[str, ...] = Field(description="Words that people have given it, sorted.")
    note: str | None = Field(description="What people have written to it.")
