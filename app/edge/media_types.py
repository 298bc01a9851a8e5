"""The media types of tables, what a body's type says, and which type to answer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from python_multipart.multipart import parse_options_header

from domain.datasets.writing import TableForm
from infra.errors import NotAcceptable

JSON = "application/json"

TABLES: Mapping[str, TableForm] = {
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}
"""The types of files with a table, as IANA has them registered."""


class ContentType(NamedTuple):
    """What a body is.

    Attributes:
        name: of its type, in lower case; empty if nothing is said.
        parameters: what is said besides, names in lower case.
    """

    name: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=128)
def content_type(header: str | None) -> ContentType:
    """What the header `Content-Type` says."""
    name, parameters = parse_options_header(header)
    return ContentType(
        name.decode("latin-1").lower(),
        {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in parameters.items()},
    )


def is_json(name: str) -> bool:
    """Whether a type is JSON's, or one that is written in JSON."""
    return name == JSON or (name.startswith("application/") and name.endswith("+json"))


def negotiated(accept: str | None, offered: Sequence[str]) -> str:
    """The type to answer with: of those offered the one that the client likes best, the first of equal ones.

    Args:
        accept: the header `Accept` (RFC 9110, section 12.5.1); None if there is none.
        offered: types without parameters, the usual one first.

    Raises:
        NotAcceptable: the client takes none of them (code ``not_acceptable``).
    """
    if accept is None or accept.strip() in ("", "*/*"):
        return offered[0]
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    liking = {each: _quality(each, ranges) for each in offered}
    best = max(offered, key=lambda each: liking[each])
    if not liking[best]:
        raise NotAcceptable(
            "not_acceptable", f"This can be answered in {', '.join(offered)}, none of which `Accept` takes."
        )
    return best


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """What the client thinks of a type: the most specific range that has it says so."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        said = [quality for name, quality in ranges if name == pattern]
        if said:
            return max(said)
    return 0.0
