"""Input columns to the rows X that a network sees, and back.

- A number x becomes one unit, (x − offset) / scale.
- A category or boolean becomes one 0/1 unit for each of its categories (one-hot), which is not scaled further.
- A moment, in seconds since 1970, becomes a unit like a number, and for each of its periods two units more: sine and
  cosine of 2π times the phase.
- A column whose dataset had gaps has one 0/1 unit more: 1 where the value is missing. A missing number or moment is
  coded as the mean of the training rows, its phases as 0, a missing category as no category.

A unit that was the same in all training rows is 0 in every row: its weights have no gradient, and it has no say in
predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from backprop.coding.columns import Array, Batch, Floats, NumberTable, batch_rows, number_matrix
from backprop.coding.labels import LabelTable
from backprop.coding.periods import Period, phase
from backprop.coding.scaling import Scaler

Moments = Literal["datetime", "time_of_day"]
Missing = Literal["impute", "refuse"]


@dataclass(frozen=True)
class CodedColumn:
    """An input column and the units that it becomes.

    Attributes:
        name: the column's.
        categories: those of a category or boolean; None for numbers and moments.
        moments: what the seconds of a datetime column stand for; None for the other kinds.
        periods: those of a datetime column.
        has_gaps: whether there is a unit for "is missing".
    """

    name: str
    categories: tuple[bool, ...] | tuple[str, ...] | None = None
    moments: Moments | None = None
    periods: tuple[Period, ...] = ()
    has_gaps: bool = False

    @property
    def width(self) -> int:
        """How many units of the input layer the column takes."""
        return self.gap_unit + self.has_gaps

    @property
    def gap_unit(self) -> int:
        """Where the unit for "is missing" is, or would be, counted from the column's first unit: it is the last one."""
        return 1 + 2 * len(self.periods) if self.categories is None else len(self.categories)

    @property
    def unit_names(self) -> list[str]:
        """What each of those units stands for: ``age``, ``colour=red``, ``day: sine of the week``, ``age: missing``."""
        if self.categories is not None:
            names = [f"{self.name}={category}" for category in self.categories]
        else:
            phases = [f"{self.name}: {wave} of the {period}" for period in self.periods for wave in ("sine", "cosine")]
            names = [self.name, *phases]
        return [*names, f"{self.name}: missing"] if self.has_gaps else names


def width_of(coded_columns: Iterable[CodedColumn]) -> int:
    """How many units of the input layer these columns take together."""
    return sum(column.width for column in coded_columns)


def scaled_names(coded_columns: Iterable[CodedColumn]) -> tuple[str, ...]:
    """The number and datetime columns among these, in order: each has one unit that is scaled."""
    return tuple(column.name for column in coded_columns if column.categories is None)


def category_codes(column: CodedColumn, values: Array) -> Array:
    """The position of each value among the column's categories, (m,); that of `gap_unit` where it is missing.

    Raises:
        ValueError: a category is not among the known ones.
    """
    assert column.categories is not None  # noqa: S101  # who has a category column has asked for them
    return LabelTable(column.categories).codes_or_missing(values)


def waves(column: CodedColumn, seconds: Floats) -> Floats:
    """Sine and cosine of 2π times the phase in each period of a datetime column, (m, 2·periods); 0 where it is missing.

    Args:
        column: whose periods.
        seconds: (m,) since 1970 in UTC, NaN where missing.
    """
    present = np.nan_to_num(seconds, nan=0.0)
    angles = 2 * np.pi * np.stack([phase(period, present) for period in column.periods], axis=1)
    both = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(seconds), 2 * len(column.periods))
    return np.where(np.isnan(seconds)[:, np.newaxis], 0.0, both)


@dataclass(frozen=True)
class ConstantUnit:
    """A unit that was the same in all training rows.

    Attributes:
        unit: its place in the input layer, from 0.
        value: what it was.
    """

    unit: int
    value: float


@dataclass(frozen=True)
class InputCoding:
    """Columns to the rows X a network sees.

    Attributes:
        coded_columns: the input columns in order; their units lie side by side in the same order.
        scaler: of the number and datetime columns, in order.
        means: of the training rows' present values, one for each of these columns.
        constant_units: those that are 0 in every row because they did not vary in training.
        missing: whether rows may lack values, or must not.
    """

    coded_columns: tuple[CodedColumn, ...]
    scaler: Scaler
    means: tuple[float, ...]
    constant_units: tuple[ConstantUnit, ...] = ()
    missing: Missing = "impute"

    @cached_property
    def width(self) -> int:
        """Units of the input layer."""
        return width_of(self.coded_columns)

    @property
    def unit_names(self) -> list[str]:
        """What each unit of the input layer stands for, (width)."""
        return [name for column in self.coded_columns for name in column.unit_names]

    @cached_property
    def scaled_names(self) -> tuple[str, ...]:
        """The number and datetime columns, in order."""
        return scaled_names(self.coded_columns)

    @cached_property
    def first_units(self) -> tuple[int, ...]:
        """Where each column's units begin."""
        starts = np.cumsum([0, *(column.width for column in self.coded_columns)])
        return tuple(starts.tolist()[:-1])

    @cached_property
    def _scaled_units(self) -> Array:
        units = [start for column, start in self._with_first_units() if column.categories is None]
        return np.array(units, dtype=np.intp)

    @cached_property
    def _constant_positions(self) -> list[int]:
        return [constant.unit for constant in self.constant_units]

    def _with_first_units(self) -> Iterable[tuple[CodedColumn, int]]:
        return zip(self.coded_columns, self.first_units, strict=True)

    def encode(self, batch: Batch, dtype: DTypeLike = np.float64) -> Array:
        """Code the rows of a batch.

        Args:
            batch: all input columns; others are ignored.
            dtype: float32 or float64, of the result; the arithmetic is float64 in any case.

        Returns:
            X, (m, width), C-contiguous.

        Raises:
            ValueError: a category is not among the known ones, or a value is missing where none may be.
        """
        X = self._encoded(batch, dtype)
        if self.constant_units:
            X[:, self._constant_positions] = 0
        return X

    def _encoded(self, batch: Batch, dtype: DTypeLike) -> Array:
        """The rows as they would be if every unit had a say."""
        rows = batch_rows(batch)
        numbers = number_matrix(batch, self.scaled_names, rows)
        some_absent = False
        if not (isinstance(batch, NumberTable) and batch.has_all):
            absent = np.isnan(numbers)
            some_absent = bool(absent.any())
            if some_absent:
                self._refuse_unless_imputed()
                numbers = np.where(absent, self.means, numbers)
        scaled = self.scaler.encode(numbers)
        if len(self.scaled_names) == self.width and scaled.dtype == dtype and scaled.flags.c_contiguous:
            return scaled
        with np.errstate(over="ignore"):
            if len(self.scaled_names) == self.width:
                return scaled.astype(dtype, order="C")
            X = np.zeros((rows, self.width), dtype)
            X[:, self._scaled_units] = scaled
        for column, start in self._with_first_units():
            if column.categories is not None:
                self._mark_categories(X, column, start, batch[column.name])
                continue
            if column.periods:
                X[:, start + 1 : start + column.gap_unit] = waves(column, batch[column.name])
            if column.has_gaps and some_absent:
                X[:, start + column.gap_unit] = np.isnan(batch[column.name])
        return X

    def _mark_categories(self, X: Array, column: CodedColumn, start: int, values: Array) -> None:
        codes = category_codes(column, values)
        absent = codes == column.gap_unit
        if absent.any():
            self._refuse_unless_imputed()
        marked = codes < column.width  # a missing value has no unit where the training data had no gap
        X[np.flatnonzero(marked), start + codes[marked]] = 1

    def _refuse_unless_imputed(self) -> None:
        if self.missing != "impute":
            raise ValueError("a value is missing, and this coding was learned to take none")

    def decode(self, coded: Array) -> dict[str, Array]:
        """The columns that rows (m, width) stand for.

        Numbers and moments come back unscaled as float64, whether they are said to be missing or not. A category is the
        one whose unit is largest (the first if equal), None where that is the unit for "is missing". A unit that was
        the same in all training rows counts as it was there.
        """
        if self.constant_units:
            coded = coded.copy()
            coded[:, self._constant_positions] = [constant.value for constant in self.constant_units]
        numbers = self.scaler.decode(coded[:, self._scaled_units])
        columns: dict[str, Array] = {}
        unread = iter(numbers.T)
        for column, start in self._with_first_units():
            if column.categories is None:
                columns[column.name] = next(unread)
            else:
                table = LabelTable((*column.categories, None) if column.has_gaps else column.categories)
                columns[column.name] = table.of(coded[:, start : start + column.width].argmax(axis=1))
        return columns

    @cached_property
    def gap_units(self) -> dict[str, int]:
        """The unit that tells that a column is missing, of each number or datetime column that has gaps."""
        return {
            column.name: start + column.gap_unit
            for column, start in self._with_first_units()
            if column.has_gaps and column.categories is None
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "features": [
                {
                    "name": column.name,
                    "categories": None if column.categories is None else list(column.categories),
                    "moments": column.moments,
                    "periods": list(column.periods),
                    "has_gaps": column.has_gaps,
                }
                for column in self.coded_columns
            ],
            "scaler": self.scaler.to_json(),
            "means": list(self.means),
            "constant_units": [{"unit": each.unit, "value": each.value} for each in self.constant_units],
            "missing": self.missing,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> InputCoding:
        """What `to_json` gave. Codings from before there were gaps have no means, and take no missing value."""
        scaler = Scaler.from_json(stored["scaler"])
        return cls(
            tuple(_stored_column(each) for each in stored["features"]),
            scaler,
            tuple(stored.get("means", scaler.offset)),
            tuple(ConstantUnit(each["unit"], each["value"]) for each in stored.get("constant_units", ())),
            stored.get("missing", "refuse"),
        )


def _stored_column(stored: Mapping[str, Any]) -> CodedColumn:
    categories = stored["categories"]
    return CodedColumn(
        stored["name"],
        None if categories is None else tuple(categories),
        stored.get("moments"),
        tuple(stored.get("periods", ())),
        stored.get("has_gaps", False),
    )
