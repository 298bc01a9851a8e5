"""The data of tensors as JSON has it: flat or nested arrays, row by row.

null is a missing value whatever the datatype. A number that is whole is an integer however it was written, and 0 and 1
are booleans: some clients know numbers of one kind only.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Floats
from backprop_client.wire.oip.datatypes import Datatype
from domain.inference.json_text import FLOATING, NumbersOfJson
from domain.models.tensors.tensor import DTYPES, elements

Array = NDArray[Any]

_NUMBERS = frozenset({int, float})
_OF_JSON = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", int: "a number", float: "a number"}


class DataDoesNotFit(Exception):
    """The data is not what shape and datatype say; the text ends a sentence that begins with the tensor's name."""


def from_json(data: Any, shape: tuple[int, ...], datatype: Datatype) -> Array:  # noqa: ANN401  # whatever came
    """The elements, (elements,), as `Tensor.values` holds them.

    Args:
        data: as `parsed` gives it.
        shape: of the tensor.
        datatype: of the tensor; a floating one if the data is a `NumbersOfJson`.

    Raises:
        DataDoesNotFit: there are not as many, or not such.
    """
    if isinstance(data, NumbersOfJson):
        return _floats(_numbers(data, shape, datatype), False, datatype)
    flat = _flat(data, shape)
    kinds = set(map(type, flat))
    has_gaps = type(None) in kinds
    kinds.discard(type(None))
    if datatype == "BYTES":
        _check_kinds(kinds, {str, bool, int, float}, datatype)
        return _objects(flat)
    if datatype == "BOOL":
        _check_kinds(kinds, {bool, int, float}, datatype)
        return _booleans(flat, has_gaps)
    _check_kinds(kinds, _NUMBERS, datatype)
    if datatype in FLOATING:
        return _floats(flat, has_gaps, datatype)
    return _integers(flat, has_gaps, float in kinds, datatype)


def to_json(values: Array) -> Array | list[Any]:
    """The elements of a tensor without gaps, as orjson writes them."""
    return values.tolist() if values.dtype == object else np.ascontiguousarray(values)


def _flat(data: Any, shape: tuple[int, ...]) -> list[Any]:  # noqa: ANN401
    """The elements side by side. Nested arrays must be as the shape says."""
    if not isinstance(data, list):
        raise DataDoesNotFit("has no data: an array is wanted")
    if len(shape) == 1 or not data or not isinstance(data[0], list):
        _check_count(len(data), shape)
        return data
    if set(map(type, data)) != {list}:
        raise DataDoesNotFit("has arrays in its data, and other values beside them")
    _check_rows(list(map(len, data)), shape)
    return list(chain.from_iterable(data))


def _numbers(data: NumbersOfJson, shape: tuple[int, ...], datatype: Datatype) -> Floats:
    """The same of numbers alone."""
    if data.lengths is None:
        _check_count(len(data.values), shape)
    elif len(shape) == 1:
        _check_count(len(data.lengths), shape)
        _check_kinds({list}, _NUMBERS, datatype)
    else:
        _check_rows(data.lengths, shape)
    return data.values


def _check_count(count: int, shape: tuple[int, ...]) -> None:
    if count != elements(shape):
        raise DataDoesNotFit(f"has shape {list(shape)}, and {count:,} elements of data")


def _check_rows(lengths: Collection[int], shape: tuple[int, ...]) -> None:
    if len(lengths) != shape[0]:
        raise DataDoesNotFit(f"has shape {list(shape)}, and its data {len(lengths):,} rows")
    if set(lengths) != {shape[1]}:
        raise DataDoesNotFit(f"has shape {list(shape)}, and not all rows of its data have {shape[1]:,} elements")


def _check_kinds(kinds: Collection[type], allowed: Collection[type], datatype: Datatype) -> None:
    strange = [kind for kind in kinds if kind not in allowed]
    if strange:
        raise DataDoesNotFit(f"is said to be {datatype}, and has {_OF_JSON[strange[0]]} in its data")


def _objects(flat: list[Any]) -> Array:
    values = np.empty(len(flat), dtype=object)
    values[:] = flat
    return values


def _booleans(flat: list[Any], has_gaps: bool) -> Array:
    if not set(flat) <= {0, 1, None}:
        raise DataDoesNotFit("is said to be BOOL, and has numbers besides 0 and 1 in its data")
    if has_gaps:
        return _objects([None if value is None else bool(value) for value in flat])
    return np.array(flat, dtype=np.bool_)


def _floats(flat: list[Any] | Floats, has_gaps: bool, datatype: Datatype) -> Array:
    doubles = np.asarray(flat, dtype=np.float64)
    if datatype == "FP64":
        return doubles
    with np.errstate(over="ignore"):
        values = doubles.astype(DTYPES[datatype])
    if np.isinf(values).any():
        raise DataDoesNotFit(f"is said to be {datatype}, and has a number in its data that is too large for that")
    return values.astype(np.float64) if has_gaps else values


def _integers(flat: list[Any], has_gaps: bool, has_fractions: bool, datatype: Datatype) -> Array:
    bounds = np.iinfo(DTYPES[datatype])
    present = [value for value in flat if value is not None] if has_gaps else flat
    if has_fractions:
        if not all(float(value).is_integer() for value in present):
            raise DataDoesNotFit(f"is said to be {datatype}, and has a number in its data that is not whole")
        present = [int(value) for value in present]
    if present and not bounds.min <= min(present) <= max(present) <= bounds.max:
        raise DataDoesNotFit(f"is said to be {datatype}, and has a number in its data that is too large for that")
    if has_gaps:
        return np.array(flat, dtype=np.float64)
    return np.array(present, dtype=DTYPES[datatype])
