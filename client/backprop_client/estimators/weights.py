"""A model's weights, as the service hands them out: a safetensors file, which takes no library to be read."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LENGTH_BYTES = 8
"""Bytes. A file begins with the length of its header, little-endian in so many. The arrays follow the header."""

_TYPES = {"F32": "<f4", "F64": "<f8"}


class Weights(NamedTuple):
    """What such a file says.

    Attributes:
        network: sizes and activations of its layers.
        coding: how columns become inputs, and outputs answers.
        arrays: W1, b1, W2, b2, …, in native byte order and of their own memory.
    """

    network: dict[str, Any]
    coding: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def read_weights(content: bytes) -> Weights:
    """Read a file of the service's.

    Raises:
        ValueError: it is none.
    """
    try:
        begin = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
        header = json.loads(content[_LENGTH_BYTES:begin])
        told = header.pop("__metadata__")
        arrays = {name: _array(content, begin, each) for name, each in header.items()}
        return Weights(json.loads(told["network"]), json.loads(told["coding"]), arrays)
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a model's weights: {error!r}") from error


def _array(content: bytes, begin: int, told: dict[str, Any]) -> NDArray[Any]:
    first, last = told["data_offsets"]
    dtype = np.dtype(_TYPES[told["dtype"]])
    values = np.frombuffer(content, dtype, (last - first) // dtype.itemsize, begin + first)
    return values.reshape(told["shape"]).astype(dtype.newbyteorder("="))
