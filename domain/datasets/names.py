"""Names of columns and files."""

from __future__ import annotations

import unicodedata


def composed(name: str) -> str:
    """A name in Unicode's form NFC, so that an é is the same however it was typed."""
    return unicodedata.normalize("NFC", name)
