from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from backprop.column_statistics import ColumnStatistics, Floats

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
    assert statistics.count == len(table)
    np.testing.assert_allclose(statistics.mean, table.mean(axis=0), rtol=1e-12, atol=1e-12 * largest)
    np.testing.assert_allclose(statistics.standard_deviation, table.std(axis=0), rtol=1e-9, atol=1e-9 * largest)
    np.testing.assert_array_equal(statistics.minimum, table.min(axis=0))
    np.testing.assert_array_equal(statistics.maximum, table.max(axis=0))


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
    statistics.add(np.array([[0.1, np.nextafter(0.1, 1)]]))
    assert statistics.constant.tolist() == [True, False]


def test_integers_and_float32_are_summed_in_double_precision() -> None:
    statistics = ColumnStatistics(1)
    statistics.add(np.full((100_000, 1), np.float32(0.1)))
    np.testing.assert_allclose(statistics.mean, float(np.float32(0.1)), rtol=1e-14)
    statistics = ColumnStatistics(1)
    statistics.add(np.array([[2**62], [2**62], [2**62]]))
    assert statistics.mean[0] == 2.0**62
