"""Numbers to a scale that suits a network, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from backprop.coding.columns import Array, Floats
from backprop.column_statistics import ColumnStatistics

Range = tuple[float, float]
Scaling = Literal["standardize", "min_max", "none"]

UNIT_RANGE: Range = (0.0, 1.0)


class CannotBeScaled(ValueError):
    """A number column is spread too far or too little for double precision."""


@dataclass(frozen=True)
class Scaler:
    """Numbers, column by column, to (x − offset) / scale and back.

    Attributes:
        offset: one value a column.
        scale: one value a column, finite and not 0; 1 for a constant column, whose offset is its value.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def standardizing(cls, statistics: ColumnStatistics) -> Scaler:
        """To mean 0 and (population) standard deviation 1: offset = mean, scale = sd. Raises `CannotBeScaled`."""
        return cls._guarded(statistics, statistics.mean, statistics.standard_deviation)

    @classmethod
    def into_range(cls, statistics: ColumnStatistics, bounds: Range) -> Scaler:
        """Minimum to low and maximum to high: scale = (max − min) / (high − low), offset = min − low · scale.

        Raises:
            CannotBeScaled: as its name says.
        """
        low, high = bounds
        with np.errstate(over="ignore", invalid="ignore"):
            scale = (statistics.maximum - statistics.minimum) / (high - low)
            return cls._guarded(statistics, statistics.minimum - low * scale, scale)

    @classmethod
    def identity(cls, columns: int) -> Scaler:
        """Leaves every number as it is."""
        return cls((0.0,) * columns, (1.0,) * columns)

    @classmethod
    def _guarded(cls, statistics: ColumnStatistics, offset: Floats, scale: Floats) -> Scaler:
        """A constant column is shifted to 0 and not stretched; what has no finite scale is refused."""
        constant = statistics.constant
        usable = (np.isfinite(offset) & np.isfinite(scale) & (scale > 0)) | constant
        if not usable.all():
            raise CannotBeScaled(
                f"number column {int(np.argmin(usable))} (counted from 0) is spread too far or too little to be "
                "scaled in double precision"
            )
        value = np.where(statistics.weight > 0, statistics.minimum, 0.0)
        return cls(
            tuple(np.where(constant, value, offset).tolist()),
            tuple(np.where(constant, 1.0, scale).tolist()),
        )

    @cached_property
    def _offset(self) -> Floats:
        return np.array(self.offset, dtype=np.float64)

    @cached_property
    def _scale(self) -> Floats:
        return np.array(self.scale, dtype=np.float64)

    def encode(self, numbers: Array) -> Floats:
        """Scale numbers, (m, n), any number type; the result is a new float64 array in the same memory order."""
        scaled = np.subtract(numbers, self._offset, dtype=np.float64)
        scaled /= self._scale
        return scaled

    def decode(self, scaled: Array) -> Floats:
        """The numbers, (m, n) float64, that were scaled."""
        return np.multiply(scaled, self._scale, dtype=np.float64) + self._offset

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"offset": list(self.offset), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Scaler:
        """What `to_json` gave."""
        return cls(tuple(stored["offset"]), tuple(stored["scale"]))
