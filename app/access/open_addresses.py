"""What everybody may ask for, with or without a key."""

from __future__ import annotations

OPEN_PATHS = frozenset(
    {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/openapi.json", "/docs", "/sign-in"}
)
"""Container engines and balancers ask for the first four; the others describe the interface, or ask for a key. Nothing
here tells of anybody's data."""

OPEN_FOLDERS = ("/static-offline-docs/", "/static/")
"""The scripts and styles of ``/docs`` and of the pages are in here."""


def is_open(path: str) -> bool:
    """Whether an address asks for no key. What it answers is nobody's own."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
