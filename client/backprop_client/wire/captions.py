"""What people say of datasets, jobs and models: a name, tags and a note."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from backprop_client.wire.names import MOST_TAGS, Name, Tags, Text
from backprop_client.wire.strict_models import StrictModel

MOST_FILTERED_TAGS = 20
"""Tags. One request for a list may name so many; each is looked up."""

Note = Annotated[Text, Field(min_length=1)]

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
