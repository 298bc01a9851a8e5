"""The cookie of the pages, and how a request that comes with it shows that it comes from one of them.

A browser sends a cookie with whatever asks for our address, also where the page of another site has it ask. `SameSite`
keeps that from happening in every browser of today. Besides, what would change something must bring a token that only
our pages can know: in a field of a form, or from a script in a header.
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from infra.errors import Forbidden

COOKIE = "backprop_sign_in"

TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105  # a name
TOKEN_FIELD = "csrf_token"  # noqa: S105  # likewise
"""Where a request brings the token: a script in the header, a form in the field."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing."""


def sign_in_of(headers: Headers) -> str | None:
    """What the cookie of a request holds; None if it has none."""
    try:
        cookies: SimpleCookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None


def token_of(sign_in: str) -> str:
    """The token that our pages have while a browser is signed in so."""
    return hmac.digest(sign_in.encode(), b"csrf", hashlib.sha256).hex()


def refuse_other_pages(sign_in: str, token: str | None) -> None:
    """Raise Forbidden if a request does not bring the token of its sign-in (code ``form_not_ours``)."""
    if token is None or not hmac.compare_digest(token_of(sign_in).encode(), token.encode()):
        raise Forbidden("form_not_ours", "This does not come from a page of this server: load the page again.")
