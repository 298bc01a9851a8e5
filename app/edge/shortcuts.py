"""The short way to an answer, for what is asked far more often than all else.

Looking through all routes and setting up what FastAPI offers to them takes longer than a small prediction. The routes
are there all the same: they describe themselves in the OpenAPI document, and they have the requests that a shortcut
leaves to them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from fastapi import Request, Response
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_RAISED = "backprop.raised"
"""A scope has what a shortcut has raised under this name."""


class Shortcut(NamedTuple):
    """One short way.

    Attributes:
        path: of the requests that it is for; what its groups match are the path's parameters, as they were sent.
        answer: answers such a POST without a query string, or leaves it to its route: None. Then it has read nothing
            of the body. It raises what its route would.
    """

    path: re.Pattern[str]
    answer: Callable[[Request], Awaitable[Response | None]]


class Shortcuts:
    """Answers requests by the first shortcut that is for them. The innermost of the application's middlewares."""

    def __init__(self, app: ASGIApp, shortcuts: Sequence[Shortcut]) -> None:
        self.app = app
        self.shortcuts = shortcuts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        answer = await self._answer(scope, receive)
        await (answer or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> ASGIApp | None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        path: str = scope["path"]
        for shortcut in self.shortcuts:
            match = shortcut.path.fullmatch(path)
            if match is not None:
                request = Request({**scope, "path_params": match.groupdict()}, receive)
                try:
                    return await shortcut.answer(request)
                except Exception as error:  # all are told of, or raised again
                    scope[_RAISED] = error
                    return ExceptionMiddleware(_raising, scope["app"].exception_handlers)
        return None


async def _raising(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # as applications are called
    error: Exception = scope[_RAISED]
    raise error
