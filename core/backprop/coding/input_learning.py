"""Learning the inputs' coding from the training rows, which come batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import Batch, Floats, batch_rows, number_matrix
from backprop.coding.inputs import (
    CodedColumn,
    ConstantUnit,
    InputCoding,
    Missing,
    category_codes,
    scaled_names,
    waves,
)
from backprop.coding.scaling import Range, Scaler, Scaling
from backprop.column_statistics import ColumnStatistics


class InputLearner:
    """Gathers what the inputs' coding needs to know of the training rows."""

    def __init__(self, coded_columns: tuple[CodedColumn, ...]) -> None:
        self._columns = coded_columns
        self._scaled_names = scaled_names(coded_columns)
        self._statistics = ColumnStatistics(len(self._scaled_names))
        self._units = {column.name: _Units(column) for column in coded_columns}

    def add(self, batch: Batch, weights: Floats | None = None) -> None:
        """Take in a batch of training rows with all input columns; weights as `Learner.add` has them.

        Raises:
            ValueError: a category is not among those planned.
        """
        self._statistics.add(number_matrix(batch, self._scaled_names, batch_rows(batch)), weights)
        for name, units in self._units.items():
            units.add(batch[name] if weights is None else batch[name][weights > 0])

    def coding(self, scaling: Scaling, bounds: Range, missing: Missing) -> InputCoding:
        """What the rows so far have taught.

        Args:
            scaling: standardize, min_max into `bounds`, or none.
            bounds: [low, high] of min_max.
            missing: whether rows that are to be coded may lack values.

        Raises:
            CannotBeScaled: a column's values are spread too far or too little.
        """
        statistics = self._statistics
        if scaling == "standardize":
            scaler = Scaler.standardizing(statistics)
        elif scaling == "min_max":
            scaler = Scaler.into_range(statistics, bounds)
        else:
            scaler = Scaler.identity(len(self._scaled_names))
        means = tuple(np.clip(statistics.mean, *_bounds_of(statistics)).tolist())
        return InputCoding(self._columns, scaler, means, tuple(self._constant_units(scaler)), missing)

    def _constant_units(self, scaler: Scaler) -> Iterator[ConstantUnit]:
        constants = iter(self._coded_constants(scaler))
        start = 0
        for column in self._columns:
            if column.categories is None:
                coded = next(constants)
                if coded is not None:
                    yield ConstantUnit(start, coded)
            for unit, value in self._units[column.name].constants():
                yield ConstantUnit(start + unit, value)
            start += column.width

    def _coded_constants(self, scaler: Scaler) -> list[float | None]:
        """For each scaled column what it was coded as throughout; None where it varied."""
        values = np.where(self._statistics.weight > 0, self._statistics.minimum, 0.0)
        coded = scaler.encode(values[np.newaxis])[0]
        return [value if same else None for value, same in zip(coded.tolist(), self._statistics.constant, strict=True)]


class _Units:
    """The range of a column's units that are not scaled: of categories, of sines and cosines, of "is missing"."""

    def __init__(self, column: CodedColumn) -> None:
        self._column = column
        self._first = 0 if column.categories is not None else 1
        self._low: Floats = np.full(column.width - self._first, np.inf)
        self._high: Floats = np.full(column.width - self._first, -np.inf)

    def add(self, values: NDArray[np.generic]) -> None:
        if not len(values) or not len(self._low):
            return
        for part, low, high in self._ranges(values):
            self._low[part] = np.minimum(self._low[part], low)
            self._high[part] = np.maximum(self._high[part], high)

    def _ranges(self, values: NDArray[np.generic]) -> Iterator[tuple[slice, Floats, Floats]]:
        """Which units, and their least and greatest values in this batch."""
        column = self._column
        if column.categories is not None:
            counts = np.bincount(category_codes(column, values), minlength=column.width)[: column.width]
            yield slice(None), (counts == len(values)).astype(float), (counts > 0).astype(float)
            return
        if column.periods:
            both = waves(column, values.astype(np.float64))
            yield slice(both.shape[1]), both.min(axis=0), both.max(axis=0)
        if column.has_gaps:
            absent = np.isnan(values.astype(np.float64))
            yield slice(-1, None), np.array([float(absent.all())]), np.array([float(absent.any())])

    def constants(self) -> Iterator[tuple[int, float]]:
        """The units that have not varied, counted from the column's first, and what they were."""
        for unit in np.flatnonzero(self._low == self._high).tolist():
            yield self._first + unit, float(self._low[unit])


def _bounds_of(statistics: ColumnStatistics) -> tuple[Floats, Floats]:
    """Least and greatest value of each column, which a mean that is off by rounding must not leave; 0 without any."""
    some = statistics.weight > 0
    return np.where(some, statistics.minimum, 0.0), np.where(some, statistics.maximum, 0.0)
