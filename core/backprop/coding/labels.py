"""Labels, such as categories and classes, to their positions in a fixed order and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Array

Codes = NDArray[np.intp]
Label = bool | int | str
Labels = tuple[bool, ...] | tuple[int, ...] | tuple[str, ...]
LabelsOrMissing = tuple[Label | None, ...]


@dataclass(frozen=True)
class LabelTable:
    """Distinct labels of one type in a fixed order, and the way from labels to positions and back.

    None may be one of them, for a value that is missing.
    """

    labels: LabelsOrMissing

    @cached_property
    def _positions(self) -> dict[Label | None, int]:
        return dict(zip(self.labels, range(len(self.labels)), strict=True))

    @cached_property
    def _positions_and_missing(self) -> dict[Label | None, int]:
        return {None: len(self.labels), **self._positions}

    @cached_property
    def _array(self) -> Array:
        text = any(isinstance(label, str) or label is None for label in self.labels)
        return np.array(self.labels, dtype=object if text else None)

    def codes(self, values: Array) -> Codes:
        """The position of each value, (m,).

        Raises:
            ValueError: a value is not among the labels.
        """
        return _found(self._positions, values)

    def codes_or_missing(self, values: Array) -> Codes:
        """The position of each value, (m,); the number of labels where the value is None, which stands for none.

        Raises:
            ValueError: a value is neither None nor among the labels.
        """
        return _found(self._positions_and_missing, values)

    def of(self, codes: Codes) -> Array:
        """The labels at these positions, (m,), of their own type: int64, bool, or object for strings and None."""
        return self._array[codes]


def _found(positions: dict[Label | None, int], values: Array) -> Codes:
    try:
        return np.fromiter(map(positions.__getitem__, values.tolist()), np.intp, len(values))
    except KeyError as unknown:
        raise ValueError(f"{unknown.args[0]!r} is not among the known values") from None
