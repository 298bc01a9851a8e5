"""Nobody comes in without a key: not a byte of a body is read before the key is known and its rate is within bounds.

The gate stands before all routes, so that none can be forgotten; what is open is listed here. Whether the key's scopes
allow the request is the route's to say, see `app.access.dependencies`.
"""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.admission import WITHOUT_KEY, Access, Admission
from app.access.open_addresses import is_open
from app.access.rates import RateLimiter
from app.edge.bodies import answered_early
from app.edge.server import RequestHead
from app.errors import service_problem
from infra.errors import ServiceError, Unauthenticated

STATE = "access"
"""A request's state holds its `Access` under this name."""

IDENTIFY = "identify"
"""And under this one what finds out again what the request may do, for those that take long."""


class Gate:
    """Lets in requests with a key, to its project; and all requests to what is open.

    While no key has ever been made, requests without one are let in too, if they name one of `keyless_hosts` as their
    host and do not come from a page of another site: a browser on this machine shows pages of anybody, and these could
    otherwise ask a server that only this machine can reach.
    """

    def __init__(self, app: ASGIApp, keyless_hosts: frozenset[str]) -> None:
        self.app = app
        self.keyless_hosts = keyless_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its `Access` in its state, or refuse it."""
        if scope["type"] == "http" and not is_open(scope["path"]):
            app: FastAPI = scope["app"]
            try:
                identify = partial(self._identified, Headers(scope=scope), scope["scheme"], app.state.admission)
                access = await identify()
                self.count(app, access)
            except ServiceError as error:
                await answered_early(service_problem(scope["path"], error), scope, receive, send)
                return
            state = scope.setdefault("state", {})
            state[STATE] = access
            state[IDENTIFY] = identify
        await self.app(scope, receive, send)

    def known_already(self, app: FastAPI, request: RequestHead) -> Access | None:
        """What a request may do, if that is known without asking the database; None if not, or it is refused."""
        admission: Admission = app.state.admission
        given = request.headers.get(b"authorization")
        if given is not None:
            kind, _, text = given.decode("latin-1").partition(" ")
            return admission.known_already(text.strip()) if kind.lower() == "bearer" else None
        if admission.lets_in_without_key():
            headers = Headers(raw=list(request.headers.items()))
            return WITHOUT_KEY if self._may_come_without_key(headers, request.scheme) else None
        return None

    def count(self, app: FastAPI, access: Access) -> None:
        """Count a request. Raises TooMany: there have been too many lately."""
        rates: RateLimiter = app.state.rates
        rates.admit(access.key_id or "")

    def take_back(self, app: FastAPI, access: Access) -> None:
        """Let a request that has been counted be uncounted."""
        rates: RateLimiter = app.state.rates
        rates.take_back(access.key_id or "")

    async def _identified(self, headers: Headers, scheme: str, admission: Admission) -> Access:
        given = headers.get("authorization")
        if given is None:
            if self._may_come_without_key(headers, scheme) and await admission.no_key_was_ever_made():
                return WITHOUT_KEY
            raise Unauthenticated(
                "key_required",
                "This server asks for a key: send it in the header `Authorization: Bearer …`. "
                "`backprop keys create` makes one.",
            )
        kind, _, text = given.partition(" ")
        if kind.lower() != "bearer":
            raise Unauthenticated("invalid_key", "The header must be `Authorization: Bearer …`, with a key.")
        return await admission.of_key(text.strip())

    def _may_come_without_key(self, headers: Headers, scheme: str) -> bool:
        host = headers.get("host", "")
        is_ours = _without_port(host) in self.keyless_hosts
        return is_ours and _comes_from_no_other_site(headers, f"{scheme}://{host}")


def _comes_from_no_other_site(headers: Headers, own_origin: str) -> bool:
    """Whether the request comes from no page, or from one of ours.

    A browser names the page's origin with everything that could change something, and says with all that it asks for
    how far away the page is: ``none`` is an address that the user typed.
    """
    return headers.get("origin", own_origin) == own_origin and headers.get("sec-fetch-site", "none") in (
        "same-origin",
        "none",
    )


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
