"""Parameters that several routes share."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path, Query

_ID_PATTERN = "^[A-Za-z0-9_-]{1,64}$"
_ID = re.compile(_ID_PATTERN)

IdPath = Annotated[str, Path(pattern=_ID_PATTERN, examples=["job_01JD3KZ7W8M5T2Q4R6V9X0Y1Z3"])]
After = Annotated[
    str | None, Query(pattern=_ID_PATTERN, description="The id that the page before ended with; none for the first.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


def is_id(text: str) -> bool:
    """Whether a text is one that `IdPath` takes."""
    return _ID.fullmatch(text) is not None
