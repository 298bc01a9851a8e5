from __future__ import annotations

import numpy as np
import pytest

from backprop.metrics import row_buffer
from backprop.metrics.row_buffer import RowBuffer


def test_rows_come_back_in_order_once_they_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_buffer, "MOST_WAITING", 10)
    waiting = RowBuffer()
    assert not waiting.add(np.zeros((3, 2)), np.array([1, 2, 3]))
    assert not waiting.add(np.zeros((0, 2)), np.array([], int))
    assert waiting.add(np.ones((2, 2)), np.array([4, 5]))
    taken = waiting.take()
    assert taken is not None
    matrix, numbers = taken
    assert matrix.tolist() == [[0, 0]] * 3 + [[1, 1]] * 2
    assert numbers.tolist() == [1, 2, 3, 4, 5]
    assert waiting.take() is None
    assert not waiting.add(np.ones((2, 2)), np.array([6, 7]))
