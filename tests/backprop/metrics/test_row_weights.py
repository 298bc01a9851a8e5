from __future__ import annotations

import numpy as np

from backprop.metrics.row_weights import with_weight

ROWS = np.array([[1, 2], [3, 4], [5, 6]])


def test_each_row_counts_1_where_nothing_else_is_said() -> None:
    each, rows = with_weight(None, ROWS)
    assert each.tolist() == [1, 1, 1]
    assert rows is ROWS


def test_rows_of_weight_0_are_left_out() -> None:
    each, rows, numbers = with_weight(np.array([0.5, 0, 2], np.float32), ROWS, np.arange(3))
    assert each.tolist() == [0.5, 2.0]
    assert each.dtype == np.float64
    assert rows.tolist() == [[1, 2], [5, 6]]
    assert numbers.tolist() == [0, 2]
