"""What people write into forms, checked by the same classes as what programs send to the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from infra.errors import FieldError, InvalidRequest

Asked = TypeVar("Asked", bound=BaseModel)

_LONGEST_NUMBER = 18
"""Digits. Every column of whole numbers in the database holds one so long."""


def checked(kind: type[Asked], values: Mapping[str, object]) -> Asked:
    """What the fields of a form ask for.

    Args:
        kind: of what is asked, as the API takes it.
        values: of its fields, by their names.

    Raises:
        InvalidRequest: something in it is not as it must be (code ``invalid_request``).
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        fields = tuple(
            FieldError(str(each["loc"][0]) if each["loc"] else "", each["msg"].removeprefix("Value error, "))
            for each in found
        )
        raise InvalidRequest("invalid_request", f"{fields[0].path}: {fields[0].message}", fields) from error


def whole_number(text: str | None, field: str) -> int | None:
    """The whole number that a field says; None if it says nothing.

    Raises:
        InvalidRequest: it says something else (code ``invalid_request``).
    """
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise wrong(field, "This is no whole number.")
    return int(text)


def words(text: str | None) -> list[str]:
    """Tags, as a field says them: with spaces or commas between them."""
    return (text or "").replace(",", " ").split()


def wrong(field: str, message: str) -> InvalidRequest:
    """The error of a form one of whose fields is not as it must be."""
    return InvalidRequest("invalid_request", message, (FieldError(field, message),))
