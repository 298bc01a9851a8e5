"""JSON text to values. Where simdjson is installed, long arrays of floating numbers go straight into arrays of doubles.

What comes out means the same whichever way it has gone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import orjson

from backprop.coding.columns import Floats

try:
    import simdjson
except ModuleNotFoundError:  # it has no wheels for Python 3.14 yet, and not everybody has a compiler
    HAS_SIMDJSON = False
else:
    HAS_SIMDJSON = True

LONG_TEXT = 4096
"""Bytes. A shorter text is read as quickly the usual way."""

MOST_KEYS = 20
"""Keys of an object. The parser looks each up from the first one on, so that many would take long."""

FLOATING = ("FP16", "FP32", "FP64")


class NotJson(Exception):
    """What should be JSON is not."""


class NumbersOfJson(NamedTuple):
    """An array of numbers, or an array of such arrays, of a JSON text.

    Attributes:
        values: all numbers, one after the other, (elements,).
        lengths: how many are in each inner array; None if there is none.
    """

    values: Floats
    lengths: Collection[int] | None


def parsed(text: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """The value of a text, in which the `data` of FP16, FP32 and FP64 tensors may be a `NumbersOfJson`.

    Raises:
        NotJson: it is none.
    """
    if HAS_SIMDJSON and len(text) > LONG_TEXT:
        request = _with_numbers(text)
        if request is not None:
            return request
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson from error


def _with_numbers(text: bytes) -> dict[str, Any] | None:
    """The request whose tensors hold floating numbers; None if it is not plainly one, or no JSON."""
    try:
        request = _plain(simdjson.Parser().parse(text), keep="inputs")
        if request is None:
            return None
        # The parser takes arrays within arrays apart as if they were not there. Then there are more brackets.
        brackets = 1 + isinstance(request.get("outputs"), list)
        tensors: list[dict[str, Any]] = []
        for each in request["inputs"]:
            tensor = _plain(each, keep="data")
            if tensor is None or tensor.get("datatype") not in FLOATING:
                return None
            tensor["data"] = _numbers(tensor["data"])
            brackets += 2 + len(tensor["data"].lengths or ())
            tensors.append(tensor)
        request["inputs"] = tensors
    except (KeyError, ValueError, TypeError, RuntimeError):  # it lacks a part, has other values, or is no JSON
        return None
    return request if brackets == text.count(b"[") else None


def _plain(parsed: Any, keep: str) -> dict[str, Any] | None:  # noqa: ANN401
    """An object's values as Python's own, but for the array under one key; None if it has none, or a key twice."""
    if not isinstance(parsed, simdjson.Object):
        return None
    if len(parsed) > MOST_KEYS:
        return None
    keys = list(parsed.keys())
    if len(set(keys)) != len(keys) or not isinstance(parsed.get(keep), simdjson.Array):
        return None
    return {key: parsed[key] if key == keep else _python(parsed[key]) for key in keys}


def _python(parsed: Any) -> Any:  # noqa: ANN401
    if isinstance(parsed, simdjson.Object):
        return parsed.as_dict()
    return parsed.as_list() if isinstance(parsed, simdjson.Array) else parsed


def _numbers(array: simdjson.Array) -> NumbersOfJson:
    """Raises ValueError or TypeError: there is something else in it than numbers, or than arrays of such."""
    values = np.frombuffer(array.as_buffer(of_type="d"))
    if len(array) == 0 or not isinstance(array[0], simdjson.Array):
        return NumbersOfJson(values, None)
    inner = [each for each in array if isinstance(each, simdjson.Array)]
    if len(inner) != len(array):
        raise ValueError("numbers beside arrays")
    return NumbersOfJson(values, list(map(len, inner)))
