"""Pages that show a secret. They are the answer to the form itself: no address leads to them, and nobody keeps them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request, Response

from app.pages.rendering import Page, page_response


def shown_once(request: Request, page: Page) -> Response:
    """The page as an answer that no browser keeps, not even to go back to."""
    answer = page_response(request, page, HTTPStatus.CREATED)
    answer.headers["Cache-Control"] = "no-store"
    return answer
