"""What all pages have around them, and what they are allowed to do."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from markupsafe import Markup

from app.access.admission import Access
from app.access.cookies import TOKEN_FIELD, token_of
from app.access.state import SIGN_IN, STATE


@dataclass(frozen=True)
class Frame:
    """What is around a page.

    Attributes:
        path: of the page.
        scopes: what whoever reads it may do.
        csrf_token: what its forms must bring; None where nobody has signed in.
        is_signed_in: whether there is somebody to sign out.
    """

    path: str
    scopes: frozenset[str]
    csrf_token: str | None
    is_signed_in: bool

    @property
    def token_field(self) -> Markup:
        """What every form that changes something has in it; nothing where nobody has signed in."""
        if self.csrf_token is None:
            return Markup("")
        return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, self.csrf_token)

    def may(self, scope: str) -> bool:
        """Whether whoever reads the page may do what this scope allows."""
        return bool(self.scopes & {scope, "admin"})

    @property
    def section(self) -> str:
        """The first part of the page's address; empty for the first page."""
        return self.path[1:].partition("/")[0]


def frame_of(request: Request) -> Frame:
    """What is around the page that a request asks for."""
    access: Access | None = getattr(request.state, STATE, None)
    sign_in: str | None = getattr(request.state, SIGN_IN, None)
    return Frame(
        path=request.url.path,
        scopes=frozenset() if access is None else access.scopes,
        csrf_token=None if sign_in is None else token_of(sign_in),
        is_signed_in=sign_in is not None,
    )


def bare_frame(path: str) -> Frame:
    """What is around a page that tells of an error: nobody knows any more who reads it."""
    return Frame(path=path, scopes=frozenset(), csrf_token=None, is_signed_in=False)
