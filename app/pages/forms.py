"""What the forms of pages send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from app.access.cookies import TOKEN_FIELD, refuse_other_pages
from app.access.state import SIGN_IN

MOST_FIELDS = 10_000
"""Fields. A form has one for each column of a wide table."""


async def _form(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_fields=MOST_FIELDS) as form:  # closes the files that have come in it
        sign_in: str | None = getattr(request.state, SIGN_IN, None)
        if sign_in is not None:
            refuse_other_pages(sign_in, said(form, TOKEN_FIELD))
        yield form


FormDep = Annotated[FormData, Depends(_form)]
"""The fields of a form that one of our pages has sent. Raises Forbidden if it was another's."""


def said(form: FormData, name: str) -> str | None:
    """What a field says, without space around it; None if it is empty, not there, or a file."""
    value = form.get(name)
    return (value.strip() or None) if isinstance(value, str) else None


def all_said(form: FormData, name: str) -> list[str]:
    """What all fields of this name say."""
    return [value for value in form.getlist(name) if isinstance(value, str) and value]
