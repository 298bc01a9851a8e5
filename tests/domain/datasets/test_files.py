from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from backprop_client.wire.columns import Column
from domain.datasets import files as dataset_files
from domain.datasets.files import DatasetWriter, count_complete_rows, preview, read_batches, read_row, row_batches
from infra.artifacts import ArtifactStore

SCHEMA = pa.schema([("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_()), ("s", pa.string())])


def _table(rows: int) -> pa.Table:
    numbers = np.arange(rows)
    return pa.table(
        [numbers, numbers / 3, pa.array(numbers % 2 == 0), [f"é{number}" for number in numbers]], schema=SCHEMA
    )


def _written(folder: Path, table: pa.Table, batch_rows: int) -> ArtifactStore:
    with pa.OSFile(str(folder / "t"), "wb") as sink, DatasetWriter(sink, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=batch_rows):
            writer.write(batch)
    return ArtifactStore(str(folder))


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 300), written=st.integers(1, 300), read=st.integers(1, 300), row_group=st.integers(1, 9))
def test_values_come_back_in_order_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: int, written: int, read: int, row_group: int
) -> None:
    table = _table(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset_files, "ROW_GROUP_BYTES", row_group * 8 * 4 * 10)
        artifacts = _written(tmp_path_factory.mktemp("t"), table, written)
    batches = list(read_batches(artifacts, "t", ["s", "f", "i", "b"], read))
    assert [len(batch["i"]) for batch in batches[:-1]] == [read] * (len(batches) - 1)
    for name in SCHEMA.names:
        values = np.concatenate([batch[name] for batch in batches])
        assert values.tolist() == table.column(name).to_pylist()


@pytest.mark.parametrize("row", [0, 39, 40, 79, 80, 99])
def test_one_row_is_found_in_any_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: int) -> None:
    monkeypatch.setattr(dataset_files, "ROW_GROUP_BYTES", 40 * 8 * 4)
    artifacts = _written(tmp_path, _table(100), 20)
    with artifacts.reading("t") as source:
        assert parquet.ParquetFile(source).num_row_groups > 2
    columns = [Column(name="s", type="category", missing=0), Column(name="i", type="integer", missing=0)]
    stored = read_row(artifacts, "t", columns, row)
    assert stored.shown == [f"é{row}", row]
    assert {name: values.tolist() for name, values in stored.values.items()} == {"s": [f"é{row}"], "i": [row]}


def test_batches_are_one_dimensional_arrays_of_the_canonical_types(tmp_path: Path) -> None:
    artifacts = _written(tmp_path, _table(5), 5)
    (batch,) = read_batches(artifacts, "t", SCHEMA.names)
    assert {name: (values.dtype.name, values.shape) for name, values in batch.items()} == {
        "i": ("int64", (5,)),
        "f": ("float64", (5,)),
        "b": ("bool", (5,)),
        "s": ("object", (5,)),
    }


def test_a_batch_holds_about_as_much_whatever_the_number_of_columns(tmp_path: Path) -> None:
    rows = dataset_files.BATCH_BYTES // 8 // 2 + 1
    table = pa.table({f"c{position}": np.zeros(rows) for position in range(4)})
    artifacts = _written(tmp_path, table, rows)
    assert [len(batch["c0"]) for batch in read_batches(artifacts, "t", ["c0", "c1"])] == [rows - 1, 1]
    assert len(list(read_batches(artifacts, "t", table.schema.names))) == 3


def test_row_groups_are_smaller_for_wider_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "ROW_GROUP_BYTES", 8 * 100)
    for width, expected in ((1, 100), (10, 10), (200, 1)):
        artifacts = _written(tmp_path, pa.table({f"c{each}": np.zeros(110) for each in range(width)}), 17)
        with artifacts.reading("t") as source:
            metadata = parquet.ParquetFile(source).metadata
        assert max(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)) == expected


def test_row_groups_of_long_strings_are_as_large_and_have_fewer_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_files, "ROW_GROUP_BYTES", 8 * 100)
    artifacts = _written(tmp_path, pa.table({"t": ["x" * 100] * 30}), 2)
    with artifacts.reading("t") as source:
        metadata = parquet.ParquetFile(source).metadata
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [8, 8, 8, 6]


def test_gaps_are_nan_or_none(tmp_path: Path) -> None:
    moments = [datetime(1970, 1, 2, 0, 0, 1, 500_000), None, datetime(1969, 12, 31)]  # noqa: DTZ001  # stored so
    table = pa.table(
        {
            "i": [1, 2**53, None],
            "n": [0.5, None, 1.5],
            "b": [None, True, False],
            "s": ["x", None, "NA"],
            "t": pa.array(moments, pa.timestamp("us")),
            "whole": [1, 2, 2**62 + 1],
        }
    )
    (batch,) = read_batches(_written(tmp_path, table, 3), "t", table.schema.names)
    np.testing.assert_array_equal(batch["i"], [1, 2**53, np.nan])
    np.testing.assert_array_equal(batch["n"], [0.5, np.nan, 1.5])
    np.testing.assert_array_equal(batch["t"], [86401.5, np.nan, -86400])
    assert batch["b"].tolist() == [None, True, False]
    assert batch["s"].tolist() == ["x", None, "NA"]
    assert batch["whole"].tolist() == [1, 2, 2**62 + 1]


def test_rows_with_gaps_can_be_left_out_and_counted(tmp_path: Path) -> None:
    table = pa.table({"a": [1, None, 3, 4], "b": ["x", "y", None, "z"], "c": [2**62 + 1, 2, 3, 2**62 + 3]})
    artifacts = _written(tmp_path, table, 3)
    batches = list(read_batches(artifacts, "t", ["c", "a", "b"], 2, complete=["a", "b"]))
    assert [batch["c"].tolist() for batch in batches] == [[2**62 + 1], [2**62 + 3]]
    assert [batch["a"].dtype.kind for batch in batches] == ["i", "i"]
    assert count_complete_rows(artifacts, "t", ["a", "b"]) == 2
    assert count_complete_rows(artifacts, "t", ["c"]) == 4


def test_an_unknown_column_is_refused_by_its_name(tmp_path: Path) -> None:
    artifacts = _written(tmp_path, _table(2), 2)
    with pytest.raises(KeyError, match="nobody"):
        list(read_batches(artifacts, "t", ["i", "nobody"]))


def test_a_column_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    artifacts = _written(tmp_path, pa.table({"a.b": [1], "a": [2], "a.b.c": [3]}), 1)
    assert [batch["a.b"].tolist() for batch in read_batches(artifacts, "t", ["a.b"])] == [[1]]


def test_the_preview_has_the_first_rows_and_says_what_is_missing(tmp_path: Path) -> None:
    artifacts = _written(tmp_path, pa.table({"a": [1, None, 3], "b": ["x", "", None]}), 2)
    columns = [Column(name="a", type="integer", missing=1), Column(name="b", type="category", missing=1)]
    assert preview(artifacts, "t", columns, 2) == [[1, "x"], [None, ""]]
    assert preview(artifacts, "t", columns, 99) == [[1, "x"], [None, ""], [3, None]]


@given(
    st.lists(st.sampled_from(["a", "b", "ü", None]), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 60),
)
def test_batches_begin_and_end_wherever_the_row_groups_do(
    texts: list[str | None], group_rows: int, batch_rows: int, first_row: int
) -> None:
    table = pa.table({"n": pa.array(range(len(texts)), pa.int64()), "s": pa.array(texts, pa.string())})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, row_group_size=group_rows)
    batches = list(row_batches(pa.BufferReader(sink.getvalue()), ["s", "n"], batch_rows, first_row))
    assert [row for batch in batches for row in batch.to_pylist()] == table.select(["s", "n"]).slice(
        first_row
    ).to_pylist()
    assert all(batch.num_rows == batch_rows for batch in batches[:-1])
    assert all(0 < batch.num_rows <= batch_rows for batch in batches)
