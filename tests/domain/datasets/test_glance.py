"""A first look at a dataset."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_client.wire.columns import Column
from domain.datasets.glance import bin_counts, first_values, frequent_values
from infra.artifacts import ArtifactStore
from tests.support.service import Service, csv_text

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.one_of(st.none(), finite), min_size=1), st.integers(1, 20))
def test_every_number_is_in_one_part_of_the_range_even_of_the_widest(values: list[float | None], bins: int) -> None:
    present = [value for value in values if value is not None]
    low, high = min(present, default=0.0), max(present, default=0.0)
    counts = bin_counts(values, low, high, bins)
    assert len(counts) == bins
    assert sum(counts) == len(present)


def test_numbers_are_counted_where_they_are() -> None:
    assert bin_counts([0, 1, 2, 3, 4, None], 0, 4, 4) == [1, 1, 1, 2]
    assert bin_counts([0.5, 0.5], 0.5, 0.5, 3) == [2, 0, 0]
    assert bin_counts([-1e308, 0.0, 1e308], -1e308, 1e308, 2) == [1, 2]
    assert bin_counts([None], 0, 1, 2) == [0, 0]


@given(st.lists(st.sampled_from(["a", "b", None])))
def test_frequent_values_come_in_the_order_of_how_often(values: list[str | None]) -> None:
    counted = frequent_values(values, 2)
    assert all(first >= second for (_, first), (_, second) in pairwise(counted))
    assert dict(counted) == {value: values.count(value) for value in set(values) - {None}}


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: this is about files."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


def test_only_the_first_rows_of_the_columns_that_are_wanted_are_read(service: Service) -> None:
    table = csv_text(("a", "a.b", "c"), [(k, k / 2, "xy"[k % 2]) for k in range(1, 100)])
    dataset = service.upload_csv(table)
    columns = {each["name"]: Column.model_validate(each) for each in dataset["columns"]}
    wanted = [columns["c"], columns["a"]]
    key = f"datasets/{dataset['id']}.parquet"
    assert first_values(service.artifacts, key, wanted, 3) == [["y", "x", "y"], [1, 2, 3]]
    assert first_values(service.artifacts, key, [columns["a.b"]], 200)[0] == [k / 2 for k in range(1, 100)]


def test_a_file_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        first_values(
            ArtifactStore(str(tmp_path)), "datasets/none.parquet", [Column(name="a", type="number", missing=0)], 1
        )
