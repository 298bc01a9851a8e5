"""A table of the caller's: its columns, whatever library they come from, and the form that answers take for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from backprop_client.tables.answers import (
    AnswerForm,
    ArrowForm,
    ColumnsForm,
    NumpyForm,
    PandasForm,
    PolarsForm,
    RowsForm,
    StructuredForm,
)
from backprop_client.tables.columns import ArrowColumn, Column, ListColumn, NumpyColumn, PandasColumn, PolarsColumn
from backprop_client.tables.libraries import comes_from, needed

ACCEPTED = (
    "a pandas or Polars frame, a table of Arrow's, a NumPy array (structured, or of two dimensions), a dict of "
    "columns, a list of dicts or of rows, or an object with __arrow_c_stream__"
)


@dataclass(frozen=True)
class Table:
    """Columns of one length.

    Attributes:
        columns: their names differ, and are as the service will have them.
        rows: how many.
        form: what answers for its rows are made into.
        is_named: whether the names are the caller's, and not counted.
    """

    columns: tuple[Column, ...]
    rows: int
    form: AnswerForm
    is_named: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def part(self, begin: int, end: int) -> Table:
        """The rows from `begin` to before `end`."""
        end = min(end, self.rows)
        return replace(self, columns=tuple(column.part(begin, end) for column in self.columns), rows=end - begin)

    def select(self, names: Sequence[str]) -> Table:
        """These columns, in this order. Where the names are only counted, the columns stand for these by position.

        Raises:
            ValueError: one is not there.
        """
        if not self.is_named and not set(names) <= set(self.names):
            if len(names) != len(self.columns):
                raise ValueError(
                    f"The rows have {len(self.columns)} columns without names, and the model has {len(names)} inputs: "
                    f"{', '.join(names[:10])}{', …' if len(names) > 10 else ''}."
                )
            renamed = [column.renamed(name) for column, name in zip(self.columns, names, strict=True)]
            return replace(self, columns=tuple(renamed), is_named=True)
        by_name = {column.name: column for column in self.columns}
        for name in names:
            if name not in by_name:
                raise ValueError(f"There is no column {name!r}.{suggestion(name, self.names)}")
        return replace(self, columns=tuple(by_name[name] for name in names))


def suggestion(name: str, names: Iterable[str]) -> str:
    """A sentence with the nearest of the names, with a space before it; nothing if none is near."""
    near = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def name_of(name: object, position: int) -> str:
    """A column's name as the service has it: in NFC, without spaces around it; after its position if it has none."""
    return unicodedata.normalize("NFC", str(name).strip()) or f"column_{position}"


def table_of(data: Any, columns: Sequence[str] | None = None) -> Table:  # noqa: ANN401
    """The caller's object as a table.

    Args:
        data: see `ACCEPTED`.
        columns: names for the columns of an array or of a list of rows, which have none.

    Raises:
        TypeError: it is no table.
        ValueError: its columns have different lengths, or two have one name.
    """
    found = _nameless(data, columns)
    if found is not None:
        return _complete(*found, is_named=columns is not None)
    if columns is not None:
        raise TypeError("columns names those of an array or of a list of rows; this table has names of its own.")
    return _complete(*_named(data))


def _nameless(data: Any, names: Sequence[str] | None) -> tuple[list[Column], AnswerForm] | None:  # noqa: ANN401
    if comes_from(data, "numpy", "ndarray") and data.dtype.names is None:
        if data.ndim != 2:
            raise TypeError(f"An array must have two dimensions, rows and columns; this one has {data.ndim}.")
        named = _counted(names, data.shape[1])
        return [NumpyColumn(name, data[:, place]) for place, name in enumerate(named)], NumpyForm()
    if _is_sequence(data) and len(data) > 0 and all(_is_sequence(row) for row in data):
        width = len(data[0])
        for number, row in enumerate(data):
            if len(row) != width:
                raise ValueError(f"Row {number} has {len(row)} values, and row 0 has {width}.")
        named = _counted(names, width)
        return [ListColumn(name, [row[place] for row in data]) for place, name in enumerate(named)], RowsForm()
    return None


def _counted(names: Sequence[str] | None, width: int) -> list[str]:
    if names is None:
        return [f"column_{position}" for position in range(1, width + 1)]
    if isinstance(names, str) or len(names) != width:
        raise ValueError(f"columns must have {width} names, one for each column.")
    return list(names)


def _named(data: Any) -> tuple[list[Column], AnswerForm]:  # noqa: ANN401
    if comes_from(data, "pandas", "DataFrame"):
        if data.columns.nlevels > 1:
            raise TypeError("The frame's columns have several levels. Give each a single name.")
        series = [(name, data.iloc[:, place]) for place, name in enumerate(data.columns)]
        return [PandasColumn(str(name), values) for name, values in series], PandasForm(data.index)
    if comes_from(data, "polars", "LazyFrame"):
        data = data.collect()
    if comes_from(data, "polars", "DataFrame"):
        return [PolarsColumn(values.name, values) for values in data.get_columns()], PolarsForm()
    if comes_from(data, "numpy", "ndarray"):
        flat = data.reshape(-1)
        return [NumpyColumn(name, flat[name]) for name in data.dtype.names], StructuredForm()
    if isinstance(data, Mapping):
        return [_column_of_dict(str(name), values) for name, values in data.items()], ColumnsForm()
    if _is_sequence(data) and len(data) > 0 and all(isinstance(row, Mapping) for row in data):
        names = list(dict.fromkeys(name for row in data for name in row))
        return [ListColumn(str(name), [row.get(name) for row in data]) for name in names], RowsForm()
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _from_arrow(data), ArrowForm()
    raise TypeError(f"{type(data).__name__} is no table. A table is {ACCEPTED}.")


def _from_arrow(data: Any) -> list[Column]:  # noqa: ANN401
    """The columns of a table of Arrow's, or of any object that gives itself as one."""
    pa = needed("pyarrow", f"A table from {type(data).__name__}")
    if hasattr(data, "__arrow_c_stream__"):
        table = data if isinstance(data, pa.Table) else pa.RecordBatchReader.from_stream(data).read_all()
    else:
        table = pa.Table.from_batches([pa.record_batch(data)])
    return [ArrowColumn(name, values) for name, values in zip(table.column_names, table.columns, strict=True)]


def _column_of_dict(name: str, values: Any) -> Column:  # noqa: ANN401
    if comes_from(values, "pandas", "Series"):
        return PandasColumn(name, values)
    if comes_from(values, "polars", "Series"):
        return PolarsColumn(name, values)
    if comes_from(values, "pyarrow", "Array", "ChunkedArray"):
        return ArrowColumn(name, values)
    if comes_from(values, "numpy", "ndarray"):
        if values.ndim != 1:
            raise TypeError(f"Column {name!r} must have one dimension; it has {values.ndim}.")
        return NumpyColumn(name, values)
    if _is_sequence(values) or isinstance(values, range):
        return ListColumn(name, list(values))
    raise TypeError(f"Column {name!r} is of type {type(values).__name__}; in a dict of columns it is a list or array.")


def _is_sequence(data: object) -> bool:
    return isinstance(data, list | tuple)


def _complete(columns: Sequence[Column], form: AnswerForm, is_named: bool = True) -> Table:
    if not columns:
        raise ValueError("The table has no columns.")
    lengths = {len(column): column.name for column in columns}
    if len(lengths) > 1:
        (rows, name), (others, other) = list(lengths.items())[:2]
        raise ValueError(f"Column {name!r} has {rows} values, and column {other!r} has {others}.")
    named = [column.renamed(name_of(column.name, place)) for place, column in enumerate(columns, start=1)]
    seen: set[str] = set()
    for column in named:
        if column.name in seen:
            raise ValueError(f"Two columns are named {column.name!r}; every column needs a name of its own.")
        seen.add(column.name)
    return Table(tuple(named), next(iter(lengths)), form, is_named)
