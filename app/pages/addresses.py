"""Which addresses are pages, for people to look at in a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

SECTIONS = frozenset(
    {"sign-in", "sign-out", "jobs", "compare", "models", "datasets", "registry", "learn", "webhooks", "keys"}
)
"""The first part of the address of every page but the first, which is ``/``."""


_SIGNS = frozenset({"/sign-in", "/sign-out"})
"""Nobody is to come back to these."""


def is_page(path: str) -> bool:
    """Whether an address is that of a page, or would be one if it were there."""
    return path == "/" or path[1:].partition("/")[0] in SECTIONS


def page_of_ours(address: str) -> str:
    """The address if it is one of our pages, else that of the first page: nobody is sent to another site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    is_ours = (
        not parts.scheme
        and not parts.netloc
        and "\\" not in address
        and is_page(parts.path)
        and parts.path not in _SIGNS
    )
    return address if is_ours and not address.startswith("//") else "/"
