"""Errors as pages, for people who look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import Response

from app.pages.frame import bare_frame
from app.pages.rendering import html_response, rendered
from backprop_client.wire.problems import ProblemField


@dataclass(frozen=True)
class ErrorPage:
    """What went wrong.

    Attributes:
        status: HTTP's.
        code: of the error, as in docs/errors.md.
        detail: what people read.
        fields: the places that are wrong.
    """

    template: ClassVar[str] = "error.html"
    status: int
    code: str
    detail: str
    fields: Sequence[ProblemField]

    @property
    def title(self) -> str:
        """HTTP's own words."""
        return HTTPStatus(self.status).phrase


def error_page(
    path: str, status: int, code: str, detail: str, fields: Sequence[ProblemField], headers: dict[str, str] | None
) -> Response:
    """The answer to a request for a page that tells of an error."""
    response = html_response(rendered(ErrorPage(status, code, detail, fields), bare_frame(path)), status)
    response.headers.update(headers or {})
    return response
