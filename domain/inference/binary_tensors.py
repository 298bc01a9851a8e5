"""Binary tensors: little-endian elements row by row. Before each element of BYTES stands its length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_client.wire.oip.datatypes import BYTES_PER_ELEMENT, LENGTH_BYTES, Datatype
from domain.inference.json_tensors import DataDoesNotFit
from domain.models.tensors.tensor import DTYPES

Array = NDArray[Any]


def from_binary(raw: memoryview, count: int, datatype: Datatype) -> Array:
    """The elements, (count,), as `Tensor.values` holds them; numbers are not copied.

    Raises:
        DataDoesNotFit: these are not so many elements of that datatype.
    """
    if datatype == "BYTES":
        return _texts(raw, count)
    wanted = count * BYTES_PER_ELEMENT[datatype]
    if len(raw) != wanted:
        raise DataDoesNotFit(f"has {count:,} elements of {datatype}, which are {wanted:,} bytes, and not {len(raw):,}")
    if datatype == "BOOL":
        return _booleans(np.frombuffer(raw, np.uint8))
    return np.frombuffer(raw, DTYPES[datatype])


def to_binary(values: Array, datatype: Datatype) -> bytes:
    """The elements of a tensor without gaps, as they lie in a body. What `from_binary` reads."""
    if datatype == "BYTES":
        encoded = [value.encode() for value in values.tolist()]
        return b"".join(part for each in encoded for part in (len(each).to_bytes(LENGTH_BYTES, "little"), each))
    return values.astype(DTYPES[datatype], copy=False).tobytes()


def _booleans(raw: NDArray[np.uint8]) -> Array:
    if (raw > 1).any():
        raise DataDoesNotFit("is said to be BOOL, and has bytes besides 0 and 1")
    return raw.view(np.bool_)


def _texts(raw: memoryview, count: int) -> Array:
    if len(raw) < count * LENGTH_BYTES:
        raise DataDoesNotFit(f"has {count:,} elements, and {len(raw):,} bytes do not even hold their lengths")
    content = bytes(raw)
    values = np.empty(count, dtype=object)
    start = 0
    for place in range(count):
        begin = start + LENGTH_BYTES
        start = begin + int.from_bytes(content[start:begin], "little")
        if start > len(content):
            raise DataDoesNotFit(f"ends within element {place:,}")
        try:
            values[place] = content[begin:start].decode()
        except UnicodeDecodeError:
            raise DataDoesNotFit(f"has an element that is not UTF-8: element {place:,}") from None
    if start < len(content):
        raise DataDoesNotFit(f"has {len(content) - start:,} bytes after its last element")
    return values
