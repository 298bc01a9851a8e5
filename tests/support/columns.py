"""Columns as a coding reads them, and what is to be known of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop.coding.columns import Array, Floats
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.column_statistics import ColumnStatistics


def statistics_of(table: Floats) -> ColumnStatistics:
    """Of the columns of a table, (m, n)."""
    statistics = ColumnStatistics(table.shape[1])
    statistics.add(table)
    return statistics


def inputs_scaled(coded_columns: tuple[CodedColumn, ...], scaler: Scaler) -> InputCoding:
    """A coding whose means are the offsets, as those of a standardized one are."""
    return InputCoding(coded_columns, scaler, scaler.offset)


def as_column(values: list[Any]) -> Array:
    """Values of one type as a batch holds them."""
    return np.array(values, dtype=object if isinstance(values[0], str) else None)
