from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from backprop_client.wire.columns import ColumnType
from backprop_client.wire.datasets import UploadFields
from domain.datasets.reading.options import ReadingOptions
from infra.errors import InvalidRequest
from tests.support.uploads import csv_file, json_file, npz_file, parquet_file, take_in


@pytest.mark.parametrize(
    ("cells", "told", "values"),
    [
        (["0123", "4", " 5"], "category", ["0123", "4", " 5"]),
        (["1.50", "NA"], "text", ["1.50", None]),
        (["1", "2"], "number", [1.0, 2.0]),
        (["12%", "0.5", "?"], "number", [0.12, 0.5, None]),
        (["1.0", "1,234", "9007199254740993"], "integer", [1, 1234, 9007199254740993]),
        (["007"], "category", ["007"]),
        (["0", "1", "true", "FALSE", ""], "boolean", [False, True, True, False, None]),
        (["2020-01-31", "2020-01-31T12:00+01:00"], "datetime", ["2020-01-31T00:00:00Z", "2020-01-31T11:00:00Z"]),
        (["12:30", "?"], "datetime", ["12:30:00", None]),
        (["9999-12-31T23:59:59.999999"], "datetime", ["9999-12-31T23:59:59.999999Z"]),
    ],
)
def test_csv_cells_are_read_as_the_client_says(cells: list[str], told: ColumnType, values: list[Any]) -> None:
    content = csv_file(["c", "n"], [[cell, "w"] for cell in cells])
    taken = take_in("t.csv", content, ReadingOptions(types={"c": told}))
    assert [row[0] for row in taken.rows] == values
    assert taken.types[0] == ("category" if told == "text" else told)


@pytest.mark.parametrize(
    ("values", "told", "expected"),
    [
        (pa.array([1, None, 30]), "category", ["1", None, "30"]),
        (pa.array([1.0, 2.5]), "category", ["1", "2.5"]),
        (pa.array([True]), "category", ["true"]),
        (pa.array([datetime(2020, 1, 31)]), "category", ["2020-01-31T00:00:00Z"]),  # noqa: DTZ001
        (pa.array(["1,234", "5%"]), "number", [1234, 0.05]),
        (pa.array([1, 2]), "number", [1.0, 2.0]),
        (pa.array([True, None]), "number", [1.0, None]),
        (pa.array([1.0, 2.0]), "integer", [1, 2]),
        (pa.array([True, False]), "integer", [1, 0]),
        (pa.array([0, 1, None]), "boolean", [False, True, None]),
        (pa.array([0.0, 1.0]), "boolean", [False, True]),
        (pa.array(["12:30", None]), "datetime", ["12:30:00", None]),
    ],
)
def test_values_of_other_formats_are_read_as_the_client_says(
    values: pa.Array, told: ColumnType, expected: list[Any]
) -> None:
    content = parquet_file(pa.table({"c": values}))
    taken = take_in("t.parquet", content, ReadingOptions(types={"c": told}))
    assert (taken.types, [row[0] for row in taken.rows]) == ([told], expected)


@pytest.mark.parametrize(
    ("cell", "told", "says"),
    [
        ("x", "number", "'x' is no number"),
        ("007", "number", "'007' is no number"),
        ("1.5", "integer", "'1.5' is no integer"),
        ("1e300", "integer", "no integer"),
        ("2", "boolean", "'2' is no boolean"),
        ("2020-02-30", "datetime", "'2020-02-30' is no datetime"),
        ("12:30", "datetime", "times of day and dates"),
        ("5", "datetime", "'5' is no datetime"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_with_its_place(cell: str, told: ColumnType, says: str) -> None:
    fitting = {"number": "1", "integer": "1", "boolean": "1", "datetime": "2020-01-31"}[told]
    content = csv_file(["c", "n"], [[fitting, "w"]] * 9 + [[cell, "w"]])
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", content, ReadingOptions(types={"c": told}))
    assert refusal.value.code == "cell_not_of_type"
    assert says in refusal.value.message
    assert "column 'c'" in refusal.value.message


def test_the_row_is_named_in_whatever_batch_it_is() -> None:
    content = io.BytesIO()
    parquet.write_table(pa.table({"c": [*map(str, range(20_000)), "x"]}), content, row_group_size=3_000)
    with pytest.raises(InvalidRequest, match="Row 20,001, column 'c'"):
        take_in("t.parquet", content.getvalue(), ReadingOptions(types={"c": "number"}))


def test_a_moment_is_no_number() -> None:
    content = parquet_file(pa.table({"c": [datetime(2020, 1, 31)]}))  # noqa: DTZ001
    with pytest.raises(InvalidRequest, match="is no number"):
        take_in("t.parquet", content, ReadingOptions(types={"c": "number"}))


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", "a,b\n1,2\n", ReadingOptions(types={"c": "number"}))
    assert refusal.value.code == "unknown_column"


def test_names_are_found_however_their_accents_are_written() -> None:
    fields = UploadFields.model_validate({"types": '{"cafe\u0301": "category"}'})
    taken = take_in("t.csv", "caf\u00e9,b\n1,2\n", ReadingOptions.of(fields, "t.csv"))
    assert taken.types == ["category", "integer"]


def test_json_moments_stay_as_they_are_written_where_the_client_wants_words() -> None:
    taken = take_in("t.json", '[{"c": "2020-01-31"}]', ReadingOptions(types={"c": "category"}))
    assert taken.rows == [["2020-01-31"]]


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("t.csv", csv_file(["a", "b", "c"], [[-999, -999.0, "unknown"], [1, 2.5, "x"]])),
        ("t.json", json_file(["a", "b", "c"], [[-999, -999.0, "unknown"], [1, 2.5, "x"]])),
        ("t.parquet", parquet_file(pa.table({"a": [-999, 1], "b": [-999.0, 2.5], "c": ["unknown", "x"]}))),
    ],
)
def test_words_and_numbers_that_the_client_names_are_missing_in_every_format(
    filename: str, content: str | bytes
) -> None:
    taken = take_in(filename, content, ReadingOptions(missing_values=("-999", "unknown")))
    assert taken.rows == [[None, None, None], [1, 2.5, "x"]]
    assert taken.read_as.missing_values == ("-999", "unknown")


def test_numbers_of_arrays_are_missing_too() -> None:
    content = npz_file(x=np.array([[-999.0, 1], [0.5, -999]]))
    taken = take_in("t.npz", content, ReadingOptions(missing_values=("-999",)))
    assert taken.rows == [[None, 1], [0.5, None]]


def test_json_moments_are_moments_beside_words_for_missing() -> None:
    taken = take_in("t.json", '[{"c": "2020-01-31"}, {"c": "never"}]', ReadingOptions(missing_values=("never",)))
    assert (taken.types, taken.rows) == (["datetime"], [["2020-01-31"], [None]])
