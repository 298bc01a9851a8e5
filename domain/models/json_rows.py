"""The rows of a request as JSON, read from its bytes.

Most rows are arrays of numbers. These go from the text into one array of doubles, with no object of Python's for each
value, where simdjson is installed. All others are read as JSON usually is. What comes out does not tell which way it
has gone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from backprop.coding.columns import Floats
from backprop_client.wire.models import PredictionRequest, UnknownCategories
from domain.models.row_reading import Row

try:
    import simdjson
except ModuleNotFoundError:  # it has no wheels for Python 3.14 yet, and not everybody has a compiler
    HAS_SIMDJSON = False
else:
    HAS_SIMDJSON = True

REUSED_BYTES = 2**18
"""Bytes. A thread keeps the parser that it reads texts of this size with: to have its memory given once more takes half
as long as the reading. It has some ten times as much."""

_OF_THREAD = threading.local()

_FIELDS = frozenset(PredictionRequest.model_fields)


@dataclass(frozen=True)
class RequestedRows:
    """Rows to predict for, and how.

    Attributes:
        count: how many.
        unknown_categories: as the request says.
        numbers: the rows as one array, (count, n), if each is an array of n numbers; None if not.
        as_sent: gives the rows in Python's objects: 7 is no 7.0. Integers beyond 64 bits are doubles.
    """

    count: int
    unknown_categories: UnknownCategories
    numbers: Floats | None
    as_sent: Callable[[], Sequence[Row]]


def requested_rows(body: bytes) -> RequestedRows:
    """What a body asks for.

    Raises:
        pydantic.ValidationError: it is JSON and no `PredictionRequest`.
        ValueError, RecursionError: it is no JSON, or nests too deep, or has too long a number.
    """
    numbers = _all_numbers(body)
    if numbers is not None:
        return RequestedRows(len(numbers), "refuse", numbers, lambda: _parsed(body)["rows"])
    request = _parsed(body)
    if not _is_plainly_valid(request):
        PredictionRequest.model_validate(request)
    rows = request["rows"]
    return RequestedRows(len(rows), request.get("unknown_categories", "refuse"), None, lambda: rows)


def _all_numbers(body: bytes) -> Floats | None:
    """The rows of a request that has nothing but arrays of numbers, equally many in each; None if it is another."""
    if not HAS_SIMDJSON or body.count(b'"') != 2:
        return None  # it has another field than `rows`, or objects or texts as well, which the parser would find late
    try:
        request = _parser(len(body)).parse(body)
        if not isinstance(request, simdjson.Object) or list(request.keys()) != ["rows"]:
            return None
        rows = request["rows"]
        if not isinstance(rows, simdjson.Array):
            return None
        count = len(rows)
        widths = {len(row) if isinstance(row, simdjson.Array) else 0 for row in rows}
        # The parser gives arrays within rows as if their numbers were the row's. Then there are more brackets.
        if len(widths) != 1 or 0 in widths or body.count(b"[") != 1 + count:
            return None
        values = np.frombuffer(rows.as_buffer(of_type="d"))
    except (ValueError, TypeError, RuntimeError):  # no JSON, other values than numbers, or integers beyond 64 bits
        return None
    return values.reshape(count, widths.pop())


def _parser(size: int) -> simdjson.Parser:
    """A parser for a text of so many bytes, which no object of an earlier text belongs to any more."""
    if size > REUSED_BYTES:
        return simdjson.Parser()
    if not hasattr(_OF_THREAD, "parser"):
        _OF_THREAD.parser = simdjson.Parser()
    parser: simdjson.Parser = _OF_THREAD.parser
    return parser


def _parsed(body: bytes) -> Any:  # noqa: ANN401  # any JSON value
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body)  # takes NaN and single surrogates too, and says best what is wrong


def _is_plainly_valid(request: object) -> bool:
    """Whether it is a valid `PredictionRequest`. Pydantic copies each value to find that out."""
    if not isinstance(request, dict) or not request.keys() <= _FIELDS:
        return False
    rows = request.get("rows")
    return (
        isinstance(rows, list)
        and len(rows) > 0
        and set(map(type, rows)) <= {dict, list}
        and request.get("unknown_categories", "refuse") in ("refuse", "as_missing")
    )
