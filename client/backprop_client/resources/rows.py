"""Bodies with rows to predict for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop_client.resources.parts import Row
from backprop_client.transport.calls import Body, Content
from backprop_client.wire.models import UnknownCategories


def in_json(rows: Sequence[Row], unknown_categories: UnknownCategories | None) -> dict[str, Any]:
    """What a request says whose rows are JSON."""
    return {"rows": rows} | ({} if unknown_categories is None else {"unknown_categories": unknown_categories})


def in_file(content: Content, media_type: str) -> Body:
    """A request whose rows are a file of that type."""
    return Body(content, media_type)
