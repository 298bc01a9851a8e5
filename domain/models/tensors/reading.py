"""Tensors read as a batch of the model's input columns.

A model takes a tensor for each input column, (n) or (n, 1), named as the column. Tensors of the dataset's other columns
may be there and are not looked at. A model whose inputs are all numbers takes one tensor of all of them, too,
(n, inputs), under any name, or of all columns of the dataset but the targets.

Columns of numbers take every numeric datatype, columns of booleans BOOL, and all take BYTES, whose texts are read as
`domain.models.value_reading` reads them. A missing value is NaN, null in JSON or, in BYTES, the empty text, unless that
is one of the column's categories. Messages count rows from 0, as places do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.columns import NumberTable
from backprop.coding.inputs import CodedColumn
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from domain.models.row_reading import ReadRows, RowReader
from domain.models.tensors.tensor import Tensor, unfit_tensor
from domain.models.value_reading import REPORTED_PROBLEMS, ColumnReading, shown
from infra.errors import FieldError, InvalidRequest

Array = NDArray[Any]

NUMERIC_KINDS = "iuf"
"""Kinds of NumPy's dtypes that are numbers."""


class _Problem(NamedTuple):
    """What is wrong with a value: its row, the place of its column, and what to say."""

    row: int
    position: int
    told: FieldError


def read_tensors(reader: RowReader, tensors: Sequence[Tensor], unknown_categories: UnknownCategories) -> ReadRows:
    """The rows that tensors hold, as a batch.

    Args:
        reader: of the model.
        tensors: at least one, in the order in which they came.
        unknown_categories: what is done about categories that the training data did not have.

    Raises:
        InvalidRequest: tensors that are no table of the model (``invalid_tensor``), or values that cannot be read
            (``invalid_rows``), up to `REPORTED_PROBLEMS` of each.
    """
    if len(tensors) == 1 and _is_matrix(reader, tensors[0]):
        return _read_matrix(reader, tensors[0], unknown_categories)
    places = _places_by_column(reader, tensors)
    _check_shapes(tensors)
    return _read_columns(
        reader,
        {name: tensors[place] for name, place in places.items()},
        {name: f"/inputs/{place}/data/" for name, place in places.items()},
        unknown_categories,
    )


def _is_matrix(reader: RowReader, tensor: Tensor) -> bool:
    """Whether a lone tensor holds all columns, or is meant to."""
    if any(column.categories is not None or column.moments is not None for column in reader.inputs.coded_columns):
        return False
    width = (*tensor.shape, 1)[1]
    return tensor.name not in reader.known or (width > 1 and width in reader.widths)


def _read_matrix(reader: RowReader, tensor: Tensor, unknown_categories: UnknownCategories) -> ReadRows:
    """All columns side by side."""
    matrix = reader.inputs_of(tensor.values.reshape(tensor.rows, (*tensor.shape, 1)[1]))
    if matrix is None:
        raise unfit_tensor(
            "/inputs/0/shape",
            f"The model takes one tensor of shape {_shapes(reader)}, or one named as each column. "
            f"{shown(tensor.name)} has shape {list(tensor.shape)}.",
        )
    _refuse_no_rows(tensor)
    if matrix.dtype.kind in NUMERIC_KINDS:
        numbers = matrix.astype(np.float64, copy=False)
        if np.isfinite(numbers).all():
            return ReadRows(NumberTable(reader.columns, numbers, has_all=True), [])
    columns = {
        name: Tensor(name, tensor.datatype, (tensor.rows,), matrix[:, place])
        for place, name in enumerate(reader.columns)
    }
    return _read_columns(reader, columns, dict.fromkeys(columns, "/inputs/0/data/"), unknown_categories)


def _shapes(reader: RowReader) -> str:
    inputs, table = reader.widths
    more = "" if inputs == table else f", or [n, {table}], all columns of its dataset but the targets"
    return f"[n, {inputs}], its input columns side by side{more}"


def _places_by_column(reader: RowReader, tensors: Sequence[Tensor]) -> dict[str, int]:
    """Which of the tensors holds each input column."""
    places: dict[str, int] = {}
    problems: list[FieldError] = []
    for place, tensor in enumerate(tensors):
        name = reader.spelled(tensor.name)
        if name in places:
            problems.append(FieldError(f"/inputs/{place}/name", f"There are two tensors named {shown(name)}."))
        elif name not in reader.known:
            problems.append(FieldError(f"/inputs/{place}/name", f"{shown(name)} is no column of this model."))
        places.setdefault(name, place)
        if len(problems) == REPORTED_PROBLEMS:
            break
    else:
        missing = [name for name in reader.columns if name not in places]
        problems += [FieldError("/inputs", f"There is no tensor for column {shown(name)}.") for name in missing]
    if problems:
        raise InvalidRequest("invalid_tensor", problems[0].message, tuple(problems[:REPORTED_PROBLEMS]))
    return {name: places[name] for name in reader.columns}


def _check_shapes(tensors: Sequence[Tensor]) -> None:
    """All are columns of as many rows."""
    first = tensors[0]
    _refuse_no_rows(first)
    for place, tensor in enumerate(tensors):
        if tensor.shape not in ((tensor.rows,), (tensor.rows, 1)):
            raise unfit_tensor(
                f"/inputs/{place}/shape",
                f"{shown(tensor.name)} holds one column: its shape is [n] or [n, 1], not {list(tensor.shape)}.",
            )
        if tensor.rows != first.rows:
            raise unfit_tensor(
                f"/inputs/{place}/shape",
                f"All tensors have as many rows: {shown(first.name)} has {first.rows:,}, "
                f"{shown(tensor.name)} has {tensor.rows:,}.",
            )


def _refuse_no_rows(tensor: Tensor) -> None:
    if tensor.rows == 0:
        raise unfit_tensor("/inputs/0/shape", f"{shown(tensor.name)} has no rows.")


def _read_columns(
    reader: RowReader, tensors: Mapping[str, Tensor], places: Mapping[str, str], unknown_categories: UnknownCategories
) -> ReadRows:
    """The tensors of all input columns, in their order; messages place a value at the column's place and its row."""
    batch: dict[str, Array] = {}
    wrong: list[_Problem] = []
    unknown: list[tuple[int, int]] = []
    for position, column in enumerate(reader.inputs.coded_columns):
        reading = reader.reading_of(column, unknown_categories)
        batch[column.name] = _values_of(column, tensors[column.name].values, reading)
        unknown += [(row, position) for row in reading.unknown]
        wrong += [
            _Problem(row, position, _told(row, places[column.name], column, reason))
            for row, reason in reading.objections
        ]
    if wrong:
        told = [problem.told for problem in sorted(wrong)[:REPORTED_PROBLEMS]]
        raise InvalidRequest("invalid_rows", told[0].message, tuple(told))
    return ReadRows(
        batch, [UnknownCategory(row=row, column=reader.columns[position]) for row, position in sorted(unknown)]
    )


def _values_of(column: CodedColumn, values: Array, reading: ColumnReading) -> Array:
    is_number = column.categories is None and column.moments is None
    if is_number and values.dtype.kind in NUMERIC_KINDS:
        numbers = values.astype(np.float64)
        if not np.isinf(numbers).any():
            return reading.read_numbers(numbers)
    return reading.read(_with_gaps(column, values.tolist()))


def _with_gaps(column: CodedColumn, values: list[Any]) -> list[Any]:
    """The values with None for the empty text, which binary tensors cannot say otherwise."""
    if "" in (column.categories or ()):
        return values
    return [None if value == "" else value for value in values]


def _told(row: int, place: str, column: CodedColumn, reason: str) -> FieldError:
    return FieldError(f"{place}{row}", f"Row {row}, column {column.name!r}: {reason}.")
