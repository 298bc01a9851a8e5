"""The query parameters by which lists of datasets, jobs and models are filtered."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from backprop_client.wire.captions import MOST_FILTERED_TAGS
from backprop_client.wire.names import Name, Tag
from domain.captions import Wanted

HavingTag = Annotated[
    list[Tag] | None,
    Query(max_length=MOST_FILTERED_TAGS, description="Only those with this tag. Repeat it for those with all of them."),
]
Named = Annotated[Name | None, Query(description="Only those of exactly this name.")]
Text = Annotated[
    Name | None,
    Query(
        description="Only those with this text in their name, note, tags or id; jobs and models also those of a "
        "dataset that has it there. Upper and lower case are the same."
    ),
]


def _wanted(tag: HavingTag = None, name: Named = None, q: Text = None) -> Wanted:
    return Wanted(tuple(tag or ()), name, q)


WantedDep = Annotated[Wanted, Depends(_wanted)]
