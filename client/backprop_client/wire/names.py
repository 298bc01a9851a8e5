"""Names that people give."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("must have only printable characters")
    return name


def composed(name: str) -> str:
    """In Unicode's form NFC, so that an é is the same however it was typed."""
    return unicodedata.normalize("NFC", name)


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable), AfterValidator(composed)]
