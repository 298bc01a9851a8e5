"""Parameters and field types that several routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, Field

_ID_PATTERN = "^[A-Za-z0-9_-]{1,64}$"

IdPath = Annotated[str, Path(pattern=_ID_PATTERN, examples=["job_01JD3KZ7W8M5T2Q4R6V9X0Y1Z3"])]
After = Annotated[
    str | None, Query(pattern=_ID_PATTERN, description="The id that the page before ended with; none for the first.")
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must have only printable characters")
    return name


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
