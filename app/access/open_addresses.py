"""What everybody may ask for, with or without a key."""

from __future__ import annotations

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})
"""For container engines and balancers, and what describes the interface: nothing here tells of anybody's data."""

OPEN_FOLDERS = ("/static-offline-docs/",)
"""Scripts and styles of ``/docs``."""


def is_open(path: str) -> bool:
    """Whether an address asks for no key. What it answers is nobody's own."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
