"""Arrays to bytes and back, in the safetensors format: nothing is ever pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save


def to_bytes(arrays: Mapping[str, NDArray[Any]], told: Mapping[str, str] | None = None) -> bytes:
    """Named arrays as one safetensors file.

    Args:
        arrays: by name.
        told: what else the file says, in its ``__metadata__``.

    Raises:
        ValueError: an array's dtype is not one of the format's (numbers and booleans).
    """
    try:
        contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        return bytes(save(contiguous, None if told is None else dict(told)))
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
