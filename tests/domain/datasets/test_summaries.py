from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_client.wire.columns import CATEGORY_LIMIT, Column
from domain.datasets.reading.summaries import ColumnSummary


def _summary(values: list[Any], arrow_type: pa.DataType, cut: int) -> Column:
    summary = ColumnSummary("c", arrow_type)
    for first in range(0, len(values), cut):
        summary.add(pa.array(values[first : first + cut], arrow_type))
    return summary.column()


@settings(deadline=None)
@given(
    values=st.lists(st.none() | st.floats(-1e6, 1e6).map(lambda x: x + 1e9), min_size=1, max_size=60),
    cut=st.integers(1, 60),
)
def test_moments_are_numpy_s_however_the_rows_are_cut(values: list[float | None], cut: int) -> None:
    column = _summary(values, pa.float64(), cut)
    present = np.array([value for value in values if value is not None])
    assert column.missing == len(values) - len(present)
    if not present.size:
        assert (column.minimum, column.maximum, column.mean, column.standard_deviation) == (None,) * 4
        return
    assert (column.minimum, column.maximum) == (present.min(), present.max())
    assert column.mean == pytest.approx(present.mean(), rel=1e-14)
    assert column.standard_deviation == pytest.approx(present.std(), rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30), cut=st.integers(1, 30))
def test_integers_have_moments_and_categories(values: list[int | None], cut: int) -> None:
    column = _summary(values, pa.int64(), cut)
    present = [value for value in values if value is not None]
    assert column.type == "integer"
    assert column.categories == tuple(sorted(set(present)))
    if present:
        exact = sum(present) / len(present)
        assert column.mean == pytest.approx(exact, rel=1e-9, abs=1e4)
        assert column.minimum == float(min(present))


def test_huge_numbers_have_finite_moments() -> None:
    values = [1.7e308, -1.7e308, 1.7e308, -1.7e308]
    for cut in (1, 2, 4):
        column = _summary(list(values), pa.float64(), cut)
        assert column.mean == pytest.approx(0, abs=1e290)
        assert column.standard_deviation == pytest.approx(1.7e308)


def test_categories_are_the_distinct_present_values_sorted() -> None:
    assert _summary(["b", None, "a", "b"], pa.string(), 3).categories == ("a", "b")
    assert _summary([True, None, True], pa.bool_(), 2).categories == (True,)
    assert _summary([1.5, 2.5], pa.float64(), 2).categories is None


@pytest.mark.parametrize("cut", [1, 700, 5000])
def test_beyond_the_limit_strings_are_text_and_categories_are_not_counted(cut: int) -> None:
    words = [f"w{number:04}" for number in range(CATEGORY_LIMIT)]
    at_the_limit = _summary(words * 2, pa.string(), cut)
    assert (at_the_limit.type, at_the_limit.categories) == ("category", tuple(words))
    beyond = _summary([*words, "one more"], pa.string(), cut)
    assert (beyond.type, beyond.categories) == ("text", None)
    integers = _summary(list(range(CATEGORY_LIMIT + 1)), pa.int64(), cut)
    assert (integers.type, integers.categories) == ("integer", None)


@pytest.mark.parametrize("cut", [1, 2, 50])
@pytest.mark.parametrize("arrow_type", [pa.int64(), pa.float64()])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3], "counts"),
        ([1, 2, 3], "counts"),
        ([0], None),
        ([2, 3, 4], None),
        ([0, 1, 3], None),
        ([0, 1, None, 3], None),
        ([None, 1, 2], None),
        ([0, None], None),
        ([1, 0], None),
        ([None, None], None),
    ],
)
def test_numbers_that_count_the_rows_are_names_of_rows(
    values: list[Any], expected: str | None, arrow_type: pa.DataType, cut: int
) -> None:
    assert _summary(values, arrow_type, cut).row_names == expected


@settings(deadline=None)
@given(
    values=st.lists(st.none() | st.integers(-(2**53), 2**53).map(float) | st.sampled_from([0.5, 2.0**60]), min_size=1),
    cut=st.integers(1, 60),
)
def test_floats_that_are_all_whole_are_integers(values: list[float | None], cut: int) -> None:
    column = _summary(values, pa.float64(), cut)
    present = {value for value in values if value is not None}
    if present and all(value.is_integer() and abs(value) <= 2**53 for value in present):
        assert (column.type, column.categories) == ("integer", tuple(sorted(map(int, present))))
        assert all(type(label) is int for label in column.categories or ())
    else:
        assert (column.type, column.categories) == ("number", None)


def test_whole_floats_beyond_the_limit_of_categories_are_integers_all_the_same() -> None:
    column = _summary([float(number) for number in range(CATEGORY_LIMIT + 1)], pa.float64(), 100)
    assert (column.type, column.categories) == ("integer", None)
