from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backprop.column_statistics import ColumnStatistics, Floats, differs_by_rounding_only

TABLES = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 40), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_nan=False),
)


@given(TABLES, st.lists(st.integers(0, 40), max_size=5))
def test_any_split_into_batches_gives_the_statistics_of_the_whole(table: Floats, cuts: list[int]) -> None:
    statistics = ColumnStatistics(table.shape[1])
    for batch in np.split(table, sorted(min(cut, len(table)) for cut in cuts)):
        statistics.add(batch)
    largest = np.abs(table).max() + 1e-300
    assert statistics.weight.tolist() == [len(table)] * table.shape[1]
    np.testing.assert_allclose(statistics.mean, table.mean(axis=0), rtol=1e-12, atol=1e-12 * largest)
    np.testing.assert_allclose(statistics.standard_deviation, table.std(axis=0), rtol=1e-9, atol=1e-9 * largest)
    np.testing.assert_array_equal(statistics.minimum, table.min(axis=0))
    np.testing.assert_array_equal(statistics.maximum, table.max(axis=0))


@given(TABLES, st.data())
def test_a_row_counts_as_often_as_it_weighs(table: Floats, data: st.DataObject) -> None:
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(table), max_size=len(table))))
    weighted, repeated = ColumnStatistics(table.shape[1]), ColumnStatistics(table.shape[1])
    middle = len(table) // 2
    for rows in (slice(middle), slice(middle, None)):
        weighted.add(table[rows], weights[rows].astype(float))
    repeated.add(np.repeat(table, weights, axis=0))
    largest = np.abs(table).max() + 1e-300
    assert weighted.weight.tolist() == repeated.weight.tolist()
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12, atol=1e-12 * largest)
    np.testing.assert_allclose(weighted.standard_deviation, repeated.standard_deviation, rtol=1e-9, atol=1e-9 * largest)
    np.testing.assert_array_equal(weighted.minimum, repeated.minimum)
    np.testing.assert_array_equal(weighted.maximum, repeated.maximum)


def test_a_large_mean_does_not_drown_a_small_deviation() -> None:
    values = 1e9 + np.tile([0.0, 1.0], 50_000)[:, np.newaxis]
    statistics = ColumnStatistics(1)
    for batch in np.array_split(values, 7):
        statistics.add(batch)
    np.testing.assert_allclose(statistics.standard_deviation, 0.5, rtol=1e-9)


def test_a_column_is_constant_whatever_rounding_does_to_its_deviation() -> None:
    statistics = ColumnStatistics(2)
    for rows in (3, 1, 6):
        statistics.add(np.tile([0.1, 0.1], (rows, 1)))
    statistics.add(np.array([[0.1, 0.1 * (1 + 1e-12)]]))
    assert statistics.constant.tolist() == [True, False]


@pytest.mark.parametrize(
    ("minimum", "maximum", "same"),
    [
        (0.3, 0.30000000000000004, True),
        (0.3, 0.1 * 3, True),
        (-1e200 * (1 + 1e-15), -1e200, True),
        (0.0, 0.0, True),
        (np.inf, -np.inf, True),
        (0.0, 1e-300, False),
        (1.0, 1 + 1e-12, False),
        (1e15, 1e15 + 100, False),
        (-1.7e308, 1.7e308, False),
    ],
)
def test_what_rounding_leaves_is_no_difference(minimum: float, maximum: float, same: bool) -> None:
    assert differs_by_rounding_only(minimum, maximum) == same


@given(TABLES, st.integers(0, 2**32 - 1))
def test_values_that_are_absent_count_for_nothing(table: Floats, seed: int) -> None:
    table = np.where(np.random.default_rng(seed).random(table.shape) < 0.4, np.nan, table)
    statistics = ColumnStatistics(table.shape[1])
    for batch in np.array_split(table, 3):
        statistics.add(batch)
    for index, column in enumerate(table.T):
        present = column[~np.isnan(column)]
        assert statistics.weight[index] == len(present)
        if len(present):
            np.testing.assert_allclose(statistics.mean[index], present.mean(), rtol=1e-12, atol=1e-8)
            np.testing.assert_allclose(statistics.standard_deviation[index], present.std(), rtol=1e-9, atol=1e-6)
            assert (statistics.minimum[index], statistics.maximum[index]) == (present.min(), present.max())
        else:
            assert statistics.constant[index]
            assert (statistics.mean[index], statistics.standard_deviation[index]) == (0, 0)


def test_integers_and_float32_are_summed_in_double_precision() -> None:
    statistics = ColumnStatistics(1)
    statistics.add(np.full((100_000, 1), np.float32(0.1)))
    np.testing.assert_allclose(statistics.mean, float(np.float32(0.1)), rtol=1e-14)
    statistics = ColumnStatistics(1)
    statistics.add(np.array([[2**62], [2**62], [2**62]]))
    assert statistics.mean[0] == 2.0**62
