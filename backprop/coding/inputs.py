"""Input columns to the rows X that a network sees, and back.

A number x becomes (x − offset) / scale. A category or boolean becomes one 0/1 column for each of its categories
(one-hot), which is not scaled further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from backprop.coding.columns import Array, Batch, batch_rows, number_matrix
from backprop.coding.labels import Codes, LabelTable
from backprop.coding.scaling import UNIT_RANGE, Range, Scaler, Scaling
from backprop.column_statistics import ColumnStatistics


@dataclass(frozen=True)
class CodedColumn:
    """An input column: a number where there are no categories, else one unit for each category."""

    name: str
    categories: tuple[bool, ...] | tuple[str, ...] | None = None

    @property
    def width(self) -> int:
        """How many units of the input layer the column takes."""
        return 1 if self.categories is None else len(self.categories)

    @property
    def unit_names(self) -> list[str]:
        """What each of those units stands for: ``age``, or ``colour=red`` for a category."""
        if self.categories is None:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories]


def width_of(coded_columns: Iterable[CodedColumn]) -> int:
    """How many units of the input layer these columns take together."""
    return sum(column.width for column in coded_columns)


def number_names(coded_columns: Iterable[CodedColumn]) -> tuple[str, ...]:
    """The number columns among these, in order."""
    return tuple(column.name for column in coded_columns if column.categories is None)


@dataclass(frozen=True)
class InputCoding:
    """Columns to the rows X a network sees.

    Attributes:
        coded_columns: the input columns in order; their units lie side by side in the same order.
        scaler: of the number columns, in order.
    """

    coded_columns: tuple[CodedColumn, ...]
    scaler: Scaler

    @classmethod
    def fit(
        cls,
        coded_columns: tuple[CodedColumn, ...],
        statistics: ColumnStatistics,
        scaling: Scaling,
        bounds: Range = UNIT_RANGE,
    ) -> InputCoding:
        """Learn the scaling.

        Args:
            coded_columns: the input columns.
            statistics: of the number columns, in order, over the training rows.
            scaling: standardize, min_max into `bounds`, or none.
            bounds: [low, high] of min_max.

        Raises:
            CannotBeScaled: a column's values are spread too far or too little.
        """
        if scaling == "standardize":
            scaler = Scaler.standardizing(statistics)
        elif scaling == "min_max":
            scaler = Scaler.into_range(statistics, bounds)
        else:
            scaler = Scaler.identity(len(statistics.mean))
        return cls(coded_columns, scaler)

    @cached_property
    def width(self) -> int:
        """Units of the input layer."""
        return width_of(self.coded_columns)

    @property
    def unit_names(self) -> list[str]:
        """What each unit of the input layer stands for, (width)."""
        return [name for column in self.coded_columns for name in column.unit_names]

    @cached_property
    def number_names(self) -> tuple[str, ...]:
        """The number columns, in order."""
        return number_names(self.coded_columns)

    @cached_property
    def _number_units(self) -> Codes:
        return np.array([start for start, table in self._layout.values() if table is None], dtype=np.intp)

    @cached_property
    def _layout(self) -> dict[str, tuple[int, LabelTable | None]]:
        """Column name to its first unit and, for a category, its table."""
        layout: dict[str, tuple[int, LabelTable | None]] = {}
        start = 0
        for column in self.coded_columns:
            table = None if column.categories is None else LabelTable(column.categories)
            layout[column.name] = (start, table)
            start += column.width
        return layout

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Code the rows of a batch.

        Args:
            batch: all input columns; others are ignored.
            dtype: float32 or float64, of the result; the arithmetic is float64 in any case.

        Returns:
            X, (m, width), C-contiguous.

        Raises:
            ValueError: a category is not among the known ones.
        """
        rows = batch_rows(batch)
        scaled = self.scaler.encode(number_matrix(batch, self.number_names, rows))
        with np.errstate(over="ignore"):
            if len(self.number_names) == self.width:
                return scaled.astype(dtype, order="C")
            X = np.zeros((rows, self.width), dtype)
            X[:, self._number_units] = scaled
        every_row = np.arange(rows)
        for name, (start, table) in self._layout.items():
            if table is not None:
                X[every_row, start + table.codes(batch[name])] = 1
        return X

    def decode(self, coded: Array) -> dict[str, Array]:
        """The columns that rows (m, width) stand for.

        Numbers come back unscaled as float64; a category is the one whose unit is largest (the first if equal).
        """
        numbers = self.scaler.decode(coded[:, self._number_units])
        columns: dict[str, Array] = {}
        unread = iter(numbers.T)
        for column in self.coded_columns:
            start, table = self._layout[column.name]
            if table is None:
                columns[column.name] = next(unread)
            else:
                columns[column.name] = table.of(coded[:, start : start + column.width].argmax(axis=1))
        return columns

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "features": [
                {"name": f.name, "categories": None if f.categories is None else list(f.categories)}
                for f in self.coded_columns
            ],
            "scaler": self.scaler.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> InputCoding:
        """What `to_json` gave."""
        columns = [(each["name"], each["categories"]) for each in stored["features"]]
        coded_columns = tuple(
            CodedColumn(name, None if categories is None else tuple(categories)) for name, categories in columns
        )
        return cls(coded_columns, Scaler.from_json(stored["scaler"]))
