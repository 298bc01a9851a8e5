"""A tensor, and how its elements are held."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop_client.wire.oip.datatypes import Datatype
from infra.errors import FieldError, InvalidRequest

Array = NDArray[Any]

DTYPES: dict[Datatype, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
"""How the elements of each datatype lie in memory, and in a binary tensor; those of BYTES do not lie there so."""


class Tensor(NamedTuple):
    """A tensor.

    Attributes:
        name: its.
        datatype: as the protocol calls it.
        shape: the size of each dimension.
        values: the elements, row by row, (elements,). Of the datatype's dtype; numbers of which some are missing are
            float64 with NaN, and booleans of which some are missing objects with None. Of BYTES: objects, texts or
            what else came as JSON, None for a missing one.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: Array

    @property
    def rows(self) -> int:
        """The size of the first dimension."""
        return self.shape[0]


def elements(shape: tuple[int, ...]) -> int:
    """How many elements a tensor of that shape has."""
    return math.prod(shape)


def unfit_tensor(place: str, message: str) -> InvalidRequest:
    """The refusal of a tensor that does not fit.

    Args:
        place: what is wrong, a JSON pointer such as ``/inputs/3/shape``.
        message: why, a sentence that names the tensor.
    """
    return InvalidRequest("invalid_tensor", message, (FieldError(place, message),))
