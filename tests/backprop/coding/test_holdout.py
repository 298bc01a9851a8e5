from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding import holdout
from backprop.coding.holdout import held_out_of_classes, held_out_rows, holdout_mask, stratified_mask


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


def classes_of_rows(draw: st.DrawFn, most: int = 8) -> np.ndarray:
    """The class of each row, (m,), of classes that may have one row or none."""
    counts = draw(st.lists(st.integers(0, 30), min_size=1, max_size=most).filter(lambda counts: max(counts) > 1))
    codes = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).permutation(codes)


class TestByClass:
    @given(st.composite(classes_of_rows)(), st.floats(0, 1, exclude_max=True), st.integers(0, 2**63 - 1))
    def test_of_each_class_the_first_rows_of_the_order_are_held_out(
        self, codes: np.ndarray, fraction: float, seed: int
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(holdout, "ROWS_AT_ONCE", 7)
            mask = stratified_mask(codes, 8, fraction, seed)
        shares = held_out_of_classes(np.bincount(codes, minlength=8), fraction)
        order = np.random.default_rng(seed).permutation(len(codes))
        expected = np.concatenate([order[codes[order] == k][: shares[k]] for k in range(8)])
        assert np.flatnonzero(mask).tolist() == sorted(expected.tolist())

    @given(st.composite(classes_of_rows)(), st.floats(0, 1, exclude_min=True, exclude_max=True))
    def test_every_class_keeps_a_row_and_its_share_is_met_but_for_one_row(
        self, codes: np.ndarray, fraction: float
    ) -> None:
        counts = np.bincount(codes)
        wanted = held_out_rows(len(codes), fraction)
        shares = held_out_of_classes(counts, fraction)
        assert 1 <= shares.sum() <= wanted
        assert (shares <= np.maximum(counts - 1, 0)).all()
        exact = wanted * counts / len(codes)
        assert (np.abs(shares - exact) < 1 + 1e-9).all()
        if (counts[counts > 0] > shares[counts > 0] + 1).all():  # no class is short of rows
            assert shares.sum() == wanted

    @pytest.mark.parametrize(
        ("counts", "fraction", "shares"),
        [
            ((50, 50), 0.2, (10, 10)),
            ((90, 10), 0.25, (23, 2)),  # 22.5 and 2.5: the first of equal remainders
            ((7, 5, 3), 0.2, (1, 1, 1)),
            ((97, 1, 1, 1), 0.1, (10, 0, 0, 0)),
            ((10, *[1] * 10), 0.5, (6, *[0] * 10)),  # fewer than the ten wanted
            ((2, 2), 0.99, (1, 1)),
            ((0, 9), 0.3, (0, 3)),
        ],
    )
    def test_largest_remainders(self, counts: tuple[int, ...], fraction: float, shares: tuple[int, ...]) -> None:
        assert tuple(held_out_of_classes(np.array(counts), fraction).tolist()) == shares

    def test_the_same_on_every_machine_and_day(self) -> None:
        codes = np.array([0, 1, 0, 1, 0, 1, 0, 0, 0, 0], np.uint16)
        assert np.flatnonzero(stratified_mask(codes, 2, 0.3, seed=0)).tolist() == [3, 4, 6]

    def test_classes_of_one_row_each_are_refused(self) -> None:
        with pytest.raises(ValueError, match="every class has one only"):
            stratified_mask(np.arange(5), 5, 0.2, 0)

    def test_nothing_is_held_out_where_nothing_is_wanted(self) -> None:
        assert not stratified_mask(np.arange(5), 5, 0.0, 0).any()
