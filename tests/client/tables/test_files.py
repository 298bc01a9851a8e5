"""Tables of any library come to the service with the values that they have here."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_client.tables.files import table_file
from backprop_client.tables.table import table_of
from backprop_client.wire.datasets import MISSING, UploadFields
from domain.datasets.reading.options import ReadingOptions
from tests.support.uploads import TakenIn, take_in

Columns = dict[str, list[Any]]

WORDS = [" NA ", "None", "007", "1.5", "1,5", "true", "2020-01-31", "12:30", 'a"b', "a,b", "a;b", "x\ny", "x\r\ny"]
WORDS += ["\\", "C:\\", '\\"', ' "q"', "#c", "sep=;", "½", "\ufeff", "a\ufeffb", "\0", "\x1a", "inf", "-", "a\tb"]

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from([*MISSING, *WORDS]),
)
FIRST, LAST = dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29)  # noqa: DTZ001  # from here any zone stays in the calendar
MOMENTS = st.datetimes(FIRST, LAST)
AWARE = st.datetimes(
    FIRST,
    LAST,
    timezones=st.integers(-14, 14).map(lambda hours: dt.timezone(dt.timedelta(hours=hours))),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "string": TEXTS,
    "date": st.dates(),
    "moment": MOMENTS,
    "moment with a zone": AWARE,
    "time of day": st.times(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
}


@st.composite
def tables(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(VALUES), gaps: bool = True) -> Columns:
    """Columns of one length, each of one kind, with gaps."""
    rows = draw(st.integers(1, 8))
    names = draw(st.lists(TEXTS.filter(lambda name: _is_own_name(name)), min_size=1, max_size=4, unique_by=_known))
    columns: Columns = {}
    for name in names:
        values = VALUES[draw(st.sampled_from(kinds))]
        cell = st.one_of(st.none(), values) if gaps else values
        columns[name] = draw(st.lists(cell, min_size=rows, max_size=rows))
    return columns


def _is_own_name(name: str) -> bool:
    return bool(name.strip()) and "sep=" not in name


def _known(name: str) -> str:
    (known,) = table_of({name: [1]}).names
    return known


def of_rows(columns: Columns) -> Any:  # noqa: ANN401
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def of_pandas_objects(columns: Columns) -> Any:  # noqa: ANN401
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def of_polars(columns: Columns) -> Any:  # noqa: ANN401
    return pl.DataFrame({name: pl.Series(values, strict=False) for name, values in columns.items()})


MAKERS: dict[str, Callable[[Columns], Any]] = {
    "a dict of lists": lambda columns: columns,
    "a list of dicts": of_rows,
    "pandas, objects": of_pandas_objects,
    "pandas, as it infers": pd.DataFrame,
    "pandas, nullable types": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "Polars": of_polars,
    "object arrays": lambda columns: {name: np.array(values, dtype=object) for name, values in columns.items()},
}


@pytest.mark.parametrize("form", MAKERS)
@pytest.mark.parametrize("installed", ["with pyarrow", "without pyarrow"])
@given(columns=tables())
@settings(deadline=None, max_examples=60)
def test_the_service_reads_the_values_that_were_given(columns: Columns, form: str, installed: str) -> None:
    if form in ("pandas, as it infers", "pandas, nullable types") and _changes_in_pandas(columns):
        return
    with as_installed(installed):
        read = read_by_the_service(MAKERS[form](columns))
    assert read.names == [_known(name) for name in columns]
    for place, values in enumerate(columns.values()):
        shown = [moment_in(row[place], value) for row, value in zip(read.rows, values, strict=True)]
        assert shown == [as_shown(value) for value in values]


def _changes_in_pandas(columns: Columns) -> bool:
    """Whether pandas makes other values of some: of integers among gaps floats, of early dates what it can hold."""
    changing = (int, dt.date, dt.time, Decimal)
    return any(isinstance(value, changing) for values in columns.values() for value in values)


@given(
    values=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5),
    kind=st.sampled_from(["int8", "uint16", ">i4", "uint64", "float16", "float32", ">f8", "longdouble", "bool", "U9"]),
    installed=st.sampled_from(["with pyarrow", "without pyarrow"]),
)
@settings(deadline=None)
def test_arrays_of_any_type_keep_their_values(values: list[int], kind: str, installed: str) -> None:
    with np.errstate(over="ignore"):
        array = np.array(values, dtype="i8").astype(kind)
    structured = np.zeros(len(values), dtype=[("a", kind), ("b", "M8[h]")])
    structured["a"] = array
    if np.isinf(array.astype("f8")).any():
        return
    with as_installed(installed):
        read = read_by_the_service(structured)
        plain = read_by_the_service(np.stack([array, array], axis=1))
    assert [row[0] for row in read.rows] == [row[0] for row in plain.rows] == [row[1] for row in plain.rows]
    # Of a long double the service reads what a double can hold.
    assert [row[0] for row in read.rows] == (array.astype("f8") if kind == "longdouble" else array).tolist()
    assert plain.names == ["column_1", "column_2"]


@pytest.mark.parametrize("installed", ["with pyarrow", "without pyarrow"])
def test_what_libraries_have_besides(installed: str) -> None:
    """Categories, intervals, periods, sparse and masked columns, zones."""
    numbers = pd.Series([1.0, 7.5, None])
    frame = pd.DataFrame(
        {
            "category": pd.Series(["b", None, "a"], dtype="category"),
            "category of integers": pd.Series([3, 3, 1], dtype="category"),
            "cut": pd.cut(numbers, [0.0, 5.0, 10.0]),
            "period": pd.period_range("2020-01", periods=3, freq="M"),
            "sparse": pd.arrays.SparseArray([0, 0, 1]),
            "zone": pd.date_range("2020-06-01", periods=3, tz="Europe/Berlin"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
        }
    ).set_index(pd.Index(["x", "y", "z"], name="row"))
    masked = np.ma.masked_array([1.5, 2.5, 3.5], mask=[False, True, False])
    with as_installed(installed):
        read = read_by_the_service(frame)
        assert read_by_the_service(frame.to_records(index=False)).rows == read.rows
        of_masked = read_by_the_service({"a": masked, "b": np.ma.masked_array([1, 2, 3])})
        categories = read_by_the_service(pl.DataFrame({"a": pl.Series(["x", None, "y"], dtype=pl.Categorical)}))
    assert list(zip(*read.rows, strict=True)) == [
        ("b", None, "a"),
        (3, 3, 1),
        ("(0.0, 5.0]", "(5.0, 10.0]", None),
        ("2020-01-01", "2020-02-01", "2020-03-01"),
        (0, 0, 1),
        ("2020-05-31T22:00:00Z", "2020-06-01T22:00:00Z", "2020-06-02T22:00:00Z"),
        (1, None, 3),
    ]
    assert of_masked.rows == [[1.5, 1], [None, 2], [3.5, 3]]
    assert categories.rows == [["x"], [None], ["y"]]


def test_tables_of_arrow_and_what_gives_itself_as_one() -> None:
    table = pa.table({"a": pa.array([1, None, 3]), "b": pa.array(["x", "y", None]).dictionary_encode()})

    class Relation:
        """As DuckDB's: it has no other interface that we know."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return table.__arrow_c_stream__(requested_schema)

    for given_as in (table, table.to_batches()[0], pa.RecordBatchReader.from_batches(table.schema, table.to_batches())):
        assert read_by_the_service(given_as).rows == [[1, "x"], [None, "y"], [3, None]]
    assert read_by_the_service(Relation()).rows == [[1, "x"], [None, "y"], [3, None]]


@given(
    nanoseconds=st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1, max_size=6),
    zone=st.sampled_from([None, "UTC", "Asia/Kolkata"]),
)
@settings(deadline=None)
def test_moments_of_arrow_are_the_same_in_a_file_and_as_python_has_them(
    nanoseconds: list[int | None], zone: str | None
) -> None:
    """A stream of Arrow's goes to the service as it is; rows to predict go as JSON."""
    moments = pa.array(nanoseconds, pa.timestamp("ns", zone))
    times = pa.array([None if each is None else each % (86_400 * 10**9) for each in nanoseconds], pa.time64("ns"))
    table = table_of(pa.table({"moment": moments, "time": times, "again": moments.dictionary_encode()}))
    plain = [column.plain().values for column in table.columns]
    read = read_by_the_service(pa.table({column.name: column.arrow() for column in table.columns}))
    for place, values in enumerate(plain):
        assert [moment_in(row[place], value) for row, value in zip(read.rows, values, strict=True)] == values


@pytest.mark.parametrize("installed", ["with pyarrow", "without pyarrow"])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"a": [1, "x"]}, r"integer \(row 0\) and string \(row 1\)"),
        ({"a": [1, 2], "b": [1]}, "'a' has 2 values, and column 'b' has 1"),
        ({"a": [[1]]}, "list is no type of a table's values"),
        ({"a": [b"x"]}, "bytes is no type"),
        ({"a": pd.Series(pd.to_timedelta([1], "s"))}, "(?i)timedelta"),
        ({"a": np.array([1j])}, "complex128"),
        ({"a": "text"}, "it is a list or array"),
        ({"a ": [1], "a": [2]}, "Two columns are named 'a'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "several levels"),
        (np.zeros(3), "two dimensions"),
        (5, "int is no table"),
        ({}, "no columns"),
        ({"a": ["\ud800"]}, "not Unicode"),
    ],
)
def test_what_is_no_table_is_refused_before_anything_is_sent(data: object, says: str, installed: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says), as_installed(installed):
        read_by_the_service(data)


@contextmanager
def as_installed(which: str) -> Iterator[None]:
    """Hide pyarrow from whoever imports it now, if the case is one without it."""
    if which == "with pyarrow":
        yield
        return
    with patch.dict(sys.modules, {"pyarrow": None}):
        yield


def read_by_the_service(data: object) -> TakenIn:
    """The dataset that an upload of the table would become."""
    with table_file(table_of(data)) as file:
        content, name, fields = file.content.read(), file.name, UploadFields(**file.fields)
    with patch.dict(sys.modules, {"pyarrow": pa}):
        return take_in(name, content, ReadingOptions.of(fields, name))


def as_shown(value: Any) -> Any:  # noqa: ANN401
    """What was given, as the preview shows it; moments as `moment_in` reads them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return (value - (value.utcoffset() or dt.timedelta())).replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value


def moment_in(shown: Any, given_as: Any) -> Any:  # noqa: ANN401
    """A moment that the preview shows, in the type that it was given in."""
    if not isinstance(shown, str) or isinstance(given_as, str | None):
        return shown
    if isinstance(given_as, dt.time):
        return dt.time.fromisoformat(shown)
    return dt.datetime.fromisoformat(shown.removesuffix("Z"))
