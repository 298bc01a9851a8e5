"""Tables read as batches of the model's input columns: files of rows to predict, and datasets.

A table may have the other columns of the model's dataset. How a value is read is in `value_reading`: a table is read as
the same rows in JSON would be. Messages count rows from 1, as those about uploads do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from backprop.coding.inputs import CodedColumn
from backprop_client.wire.columns import Column
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from domain.datasets.files import plain_values
from domain.datasets.moments import MOMENT
from domain.models.row_reading import ReadRows, RowReader
from domain.models.value_reading import REPORTED_PROBLEMS, ColumnReading, shown
from infra.errors import FieldError, InvalidRequest

Array = NDArray[Any]


@dataclass(frozen=True)
class TableReader:
    """Reads the batches of one table for one model.

    Attributes:
        rows: how the model reads rows.
        columns: those of the table, by name; the model's inputs are among them.
        unknown_categories: what is done about categories that the training data did not have.
    """

    rows: RowReader
    columns: dict[str, Column]
    unknown_categories: UnknownCategories

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that a batch has: the model's inputs, in their order."""
        return self.rows.columns

    def read(self, batch: pa.RecordBatch, first_row: int) -> ReadRows:
        """The rows of a batch as the model takes them.

        Args:
            batch: the columns `names`, as `domain.datasets.files.row_batches` gives them.
            first_row: the place of its first row in the table, from 0.

        Raises:
            InvalidRequest: rows that cannot be read (``invalid_rows``), each problem with its row and column, up to
                `REPORTED_PROBLEMS`.
        """
        read: dict[str, Array] = {}
        wrong: list[tuple[int, int, str]] = []
        unknown: list[tuple[int, int]] = []
        for position, (coded, values) in enumerate(zip(self.rows.inputs.coded_columns, batch.columns, strict=True)):
            reading = self.rows.reading_of(coded, self.unknown_categories)
            read[coded.name] = _values_of(coded, self.columns[coded.name], values, reading)
            wrong += [(row, position, reason) for row, reason in reading.objections]
            unknown += [(row, position) for row in reading.unknown]
        if wrong:
            raise _refusal([(first_row + row, self.names[position], why) for row, position, why in sorted(wrong)])
        return ReadRows(
            read,
            [UnknownCategory(row=first_row + row, column=self.names[position]) for row, position in sorted(unknown)],
        )

    def objections(self) -> Iterator[str]:
        """What can be told of the table before its rows are read, by what is known of its columns.

        Rows may still turn out to be unreadable: of texts and of many numbers only the rows tell.
        """
        for coded in self.rows.inputs.coded_columns:
            column = self.columns[coded.name]
            if column.missing and self.rows.inputs.missing != "impute":
                yield f"Column {coded.name!r} has {column.missing:,} missing values, and this model takes none."
            if coded.categories is not None and column.categories is not None:
                reading = self.rows.reading_of(coded, self.unknown_categories)
                reading.read(column.categories)
                yield from (f"Column {coded.name!r}: {reason}." for _, reason in reading.objections)
            elif not _may_hold(coded, column):
                yield f"Column {coded.name!r} is of type {column.type}, and the model was trained on {_wanted(coded)}."


def _may_hold(coded: CodedColumn, column: Column) -> bool:
    """Whether a column of that type can hold values of an input column."""
    if coded.categories is not None or column.type in ("category", "text"):
        return True  # any value may be a category, and any be written as a text
    if column.type == "number" and column.minimum is None:
        return True  # it has no value
    if coded.moments is not None:
        return column.type == "datetime" and column.times_of_day == (coded.moments == "time_of_day")
    return column.type in ("integer", "number")


def _wanted(coded: CodedColumn) -> str:
    if coded.moments is None:
        return "numbers"
    return "times of day" if coded.moments == "time_of_day" else "dates and times"


def _values_of(coded: CodedColumn, column: Column, values: pa.Array, reading: ColumnReading) -> Array:
    if coded.categories is None and coded.moments is None and values.type in (pa.int64(), pa.float64()):
        return reading.read_numbers(_floats(values))
    if coded.moments is not None and column.times_of_day == (coded.moments == "time_of_day") and values.type == MOMENT:
        return reading.read_numbers(_floats(values.cast(pa.int64())) / 1e6)
    different = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    # One more stands for missing values, which have no place among the others.
    entries = [*plain_values(column, different.dictionary), None]
    places = compute.fill_null(different.indices, len(entries) - 1).to_numpy(zero_copy_only=False)
    used, places = np.unique(places, return_inverse=True)
    return reading.read_once_each([entries[place] for place in used.tolist()], places)


def _floats(values: pa.Array) -> Array:
    numbers: Array = values.to_numpy(zero_copy_only=False)
    return numbers.astype(np.float64, copy=False)


def _refusal(problems: Sequence[tuple[int, str, str]]) -> InvalidRequest:
    told = [f"Row {row + 1:,}, column {column!r}: {reason}." for row, column, reason in problems[:REPORTED_PROBLEMS]]
    return InvalidRequest("invalid_rows", told[0], tuple(FieldError("/file", message) for message in told))


def check_names(rows: RowReader, columns: Sequence[Column]) -> None:
    """Refuse a table that has a column which the model does not know: its name may be a slip.

    Raises:
        InvalidRequest: code ``invalid_rows``.
    """
    strange = [column.name for column in columns if column.name not in rows.known]
    if strange:
        told = [f"The file has {shown(name)}, which is no column of this model." for name in strange]
        fields = tuple(FieldError("/file", message) for message in told[:REPORTED_PROBLEMS])
        raise InvalidRequest("invalid_rows", told[0], fields)
