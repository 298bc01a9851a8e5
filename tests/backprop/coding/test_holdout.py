from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding.holdout import held_out_rows, holdout_mask


@given(st.integers(2, 300), st.floats(0, 1, exclude_max=True), st.integers(0, 2**63 - 1))
def test_follows_the_documented_recipe(rows: int, fraction: float, seed: int) -> None:
    mask = holdout_mask(rows, fraction, seed)
    held = 0 if fraction == 0 else min(max(1, round(fraction * rows)), rows - 1)
    expected = set(np.random.default_rng(seed).permutation(rows)[:held].tolist())
    assert set(np.flatnonzero(mask).tolist()) == expected
    assert mask.shape == (rows,)
    assert held_out_rows(rows, fraction) == held


def test_is_the_same_on_every_machine_and_day() -> None:
    assert np.flatnonzero(holdout_mask(10, 0.3, seed=0)).tolist() == [2, 4, 6]


@given(st.integers(2, 50), st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_leaves_a_row_on_each_side(rows: int, fraction: float) -> None:
    assert 1 <= holdout_mask(rows, fraction, 1).sum() <= rows - 1


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 2.0, float("nan")])
def test_refuses_what_is_no_fraction(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        holdout_mask(10, fraction, 0)


def test_refuses_to_hold_the_only_row_out() -> None:
    with pytest.raises(ValueError, match="at least 2 rows"):
        holdout_mask(1, 0.5, 0)
