"""A column as its library has it, and what becomes of it: an array of Arrow's, or plain values."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from backprop_client.tables.libraries import comes_from, loaded, needed
from backprop_client.tables.values import Kind, PlainColumn, plain_column


@dataclass(frozen=True)
class Column(ABC):
    """A column of a table.

    Attributes:
        name: what it is called.
        values: as its library has them.
    """

    name: str
    values: Any

    def __len__(self) -> int:
        return len(self.values)

    def renamed(self, name: str) -> Column:
        """The same values under another name."""
        return replace(self, name=name)

    def part(self, begin: int, end: int) -> Column:
        """The rows from `begin` to before `end`."""
        return replace(self, values=self.values[begin:end])

    @abstractmethod
    def arrow(self) -> Any:  # noqa: ANN401
        """The values as an array of Arrow's, chunked or not. pyarrow must be there.

        Raises:
            TypeError: they are of a type that no table of the service's can have.
        """

    @abstractmethod
    def plain(self) -> PlainColumn:
        """The values as Python has them.

        Raises:
            TypeError: as `arrow`.
        """


class ListColumn(Column):
    """A list of Python's values."""

    def arrow(self) -> Any:  # noqa: ANN401
        """Of the one kind that all values are of."""
        pa = needed("pyarrow", "An array of Arrow's")
        plain = self.plain()
        return pa.array(plain.values, _arrow_type(plain.kind))

    def plain(self) -> PlainColumn:
        """The values, all of one kind."""
        return plain_column(self.name, self.values)


def _arrow_type(kind: Kind) -> Any:  # noqa: ANN401
    pa = needed("pyarrow", "An array of Arrow's")
    types: dict[Kind, Callable[[], Any]] = {
        "boolean": pa.bool_,
        "integer": pa.int64,
        "number": pa.float64,
        "string": pa.large_string,
        "moment": lambda: pa.timestamp("us"),
        "time of day": lambda: pa.time64("us"),
        "nothing": pa.null,
    }
    return types[kind]()


class NumpyColumn(Column):
    """An array of NumPy's of one dimension, masked or not."""

    def arrow(self) -> Any:  # noqa: ANN401
        """Of the array's type; object arrays as a list's values."""
        values = self._known()
        if values.dtype.kind == "O":
            return ListColumn(self.name, values.tolist()).arrow()
        pa = needed("pyarrow", "An array of Arrow's")
        if comes_from(values, "numpy.ma", "MaskedArray"):
            return pa.array(values.data, mask=loaded("numpy.ma").getmaskarray(values))
        return pa.array(values)

    def plain(self) -> PlainColumn:
        """The values as Python has them."""
        values = self._known()
        if values.dtype.kind == "M":
            values = values.astype("datetime64[us]")
        return plain_column(self.name, values.tolist())

    def _known(self) -> Any:  # noqa: ANN401
        """The array in a type that Arrow knows."""
        values, kind = self.values, self.values.dtype.kind
        if kind in "mcV":
            raise _refusal(self.name, str(values.dtype))
        if kind == "S":
            return values.astype("U")
        if kind == "M":
            unit = str(values.dtype).partition("[")[2][:-1]
            return values if unit in ("D", "s", "ms", "us", "ns") else values.astype("datetime64[s]")
        if kind == "f" and values.dtype.itemsize > 8:
            return values.astype("float64")
        return values.astype(values.dtype.newbyteorder("="))


class PandasColumn(Column):
    """A series of pandas's. Its index is not looked at."""

    def part(self, begin: int, end: int) -> Column:
        """Some of the rows."""
        return replace(self, values=self.values.iloc[begin:end])

    def arrow(self) -> Any:  # noqa: ANN401
        """Of the series's type; columns of objects as a list's values; categories with a dictionary."""
        pa = needed("pyarrow", "An array of Arrow's")
        values = self._known()
        if isinstance(values, list):
            return ListColumn(self.name, values).arrow()
        if hasattr(values, "cat"):
            categories = PandasColumn(self.name, values.cat.categories.to_series()).arrow()
            codes = values.cat.codes.to_numpy()
            return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), categories)
        if type(values.dtype).__module__.startswith("pandas"):
            return _checked(self.name, pa.array(values, from_pandas=True))
        return NumpyColumn(self.name, values.to_numpy()).arrow()

    def plain(self) -> PlainColumn:
        """The values as Python has them."""
        values = self._known()
        if isinstance(values, list):
            return plain_column(self.name, values)
        if hasattr(values, "cat"):
            categories = PandasColumn(self.name, values.cat.categories.to_series()).plain().values
            return plain_column(self.name, [None if code < 0 else categories[code] for code in values.cat.codes])
        return plain_column(self.name, values.astype(object).tolist())

    def _known(self) -> Any:  # noqa: ANN401
        """The series in a type that Arrow knows, or a list."""
        values = self.values
        kind = type(values.dtype).__name__
        if kind == "SparseDtype":
            return values.sparse.to_dense()
        return values.tolist() if values.dtype == object or kind in ("PeriodDtype", "IntervalDtype") else values


class ArrowColumn(Column):
    """An array of Arrow's, chunked or not."""

    def part(self, begin: int, end: int) -> Column:
        """Some of the rows."""
        return replace(self, values=self.values.slice(begin, end - begin))

    def arrow(self) -> Any:  # noqa: ANN401
        """The array itself."""
        return _checked(self.name, self.values)

    def plain(self) -> PlainColumn:
        """The values as Python has them."""
        values, types = self.arrow(), needed("pyarrow", "An array of Arrow's").types
        if types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if types.is_timestamp(values.type) or types.is_time(values.type):
            values = _in_microseconds(values)
        return plain_column(self.name, values.to_pylist())


class PolarsColumn(Column):
    """A series of Polars's."""

    def part(self, begin: int, end: int) -> Column:
        """Some of the rows."""
        return replace(self, values=self.values.slice(begin, end - begin))

    def arrow(self) -> Any:  # noqa: ANN401
        """Of the series's type; those that Arrow does not have, as a list's values."""
        if str(self.values.dtype) in ("Object", "Int128", "UInt128"):
            return ListColumn(self.name, self.values.to_list()).arrow()
        return _checked(self.name, self.values.alias("").to_arrow())  # Polars panics over a name with a zero in it

    def plain(self) -> PlainColumn:
        """The values as Python has them."""
        return plain_column(self.name, self.values.to_list())


def _in_microseconds(values: Any) -> Any:  # noqa: ANN401
    """Moments in UTC, or times of day. Python has nothing below microseconds: that is cut off, as the service does."""
    pa = needed("pyarrow", "An array of Arrow's")
    if pa.types.is_time(values.type):
        return values.cast(pa.time64("us"), safe=False)
    if values.type.unit == "ns":
        values = importlib.import_module("pyarrow.compute").floor_temporal(values, unit="microsecond")
    return values.cast(pa.timestamp("us", values.type.tz)).cast(pa.timestamp("us"))


def _checked(name: str, values: Any) -> Any:  # noqa: ANN401
    """An array, if it is of a type that the service's tables have."""
    types = needed("pyarrow", "An array of Arrow's").types
    kind = values.type
    if types.is_dictionary(kind):
        kind = kind.value_type
    known = (
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_boolean,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_timestamp,
        types.is_date,
        types.is_time,
        types.is_null,
    )
    if not any(each(kind) for each in known):
        raise _refusal(name, str(kind))
    return values


def _refusal(name: str, kind: str) -> TypeError:
    return TypeError(f"Column {name!r} is of type {kind}; columns may be numbers, booleans, strings, dates and times.")
