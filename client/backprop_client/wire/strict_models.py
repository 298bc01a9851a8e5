"""What bodies of requests are made of: nothing in them is ignored, and a wrong one costs no more than a right one.

Pydantic names everything that is wrong, each thing in a thousand times the memory that it has in the request. A body of
some megabytes could so take gigabytes; what is too much by far is therefore refused as a whole.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

MOST_UNKNOWN_FIELDS = 100


class StrictModel(BaseModel):
    """An unknown field is an error: a misspelt option must not be silently ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _not_too_many_fields(cls, given: Any) -> Any:  # noqa: ANN401  # whatever a client has sent
        if isinstance(given, dict) and len(given) > len(cls.model_fields) + MOST_UNKNOWN_FIELDS:
            raise ValueError(f"has {len(given):,} fields, and there are only {len(cls.model_fields)}")
        return given


def at_most(items: int) -> BeforeValidator:
    """Refuse a longer list before looking at its items."""

    def check(given: Any) -> Any:  # noqa: ANN401
        if isinstance(given, list | tuple) and len(given) > items:
            raise ValueError(f"must have at most {items:,} items, not {len(given):,}")
        return given

    return BeforeValidator(check)
