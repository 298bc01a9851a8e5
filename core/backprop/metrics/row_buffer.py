"""Rows that wait until they are many enough to be worth sorting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_WAITING = 2**21
"""Values. So many wait at most, besides one batch: 16 MiB."""


class RowBuffer:
    """Batches of rows, each of several arrays, of which the first is a matrix and decides when they are enough."""

    def __init__(self) -> None:
        self._batches: list[tuple[NDArray[Any], ...]] = []
        self._values = 0

    def add(self, *arrays: NDArray[Any]) -> bool:
        """Keep a batch, whose arrays nobody changes any more; tells whether it is time to take all."""
        self._batches.append(arrays)
        self._values += arrays[0].size
        return self._values >= MOST_WAITING

    def take(self) -> tuple[NDArray[Any], ...] | None:
        """All rows since the last time, array by array; None if there are none."""
        batches, self._batches, self._values = self._batches, [], 0
        if not batches:
            return None
        return tuple(np.concatenate(arrays) for arrays in zip(*batches, strict=True))
