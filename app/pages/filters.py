"""What lists of pages are filtered by. A browser sends the fields that are left empty, too: they filter by nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator

from app.v1.parameters import ID_PATTERN
from backprop_client.wire.names import Name, Tag


def _none_if_empty(text: str | None) -> str | None:
    return (text or "").strip() or None


SearchedText = Annotated[Name | None, BeforeValidator(_none_if_empty), Query()]
"""Text that is in what is said of a thing."""

SearchedTag = Annotated[Tag | None, BeforeValidator(_none_if_empty), Query()]
"""A tag that a thing has."""

AfterId = Annotated[str | None, Query(pattern=ID_PATTERN)]
"""The id that the page before ended with; None for the first page."""
