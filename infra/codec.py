"""Arrays to bytes and back, in the safetensors format: nothing is ever pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save


def to_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as one safetensors file.

    Raises:
        ValueError: an array's dtype is not one of the format's (numbers and booleans).
    """
    try:
        return bytes(save({name: np.asarray(array, order="C") for name, array in arrays.items()}))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"these arrays cannot be stored: {error}") from error


def from_bytes(data: bytes) -> dict[str, NDArray[Any]]:
    """The inverse of `to_bytes`: arrays of the same names, shapes, dtypes and bits.

    Raises:
        ValueError: the bytes are not a safetensors file.
    """
    try:
        return dict(load(data))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"not a safetensors file: {error}") from error


_LENGTH_BYTES = 8
"""A safetensors file begins with the length of its header in so many bytes. The header fills a multiple of it."""


def telling(data: bytes, told: Mapping[str, str]) -> bytes:
    """A safetensors file whose ``__metadata__`` has these texts, and no others; the arrays are the same.

    The same texts in the same order give the same bytes, which the library's own way of writing them does not.

    Args:
        data: a file that `to_bytes` made.
        told: texts by name.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    text = json.dumps({**header, "__metadata__": dict(told)}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return b"".join((len(text).to_bytes(_LENGTH_BYTES, "little"), text, memoryview(data)[_LENGTH_BYTES + length :]))
