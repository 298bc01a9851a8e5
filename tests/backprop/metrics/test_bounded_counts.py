from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.metrics.bounded_counts import (
    FRACTION_BITS,
    MOST_VALUES,
    MOST_VALUES_OF_ALL,
    BoundedCounts,
    digits_from_both_ends,
    leading_digits,
    values_of_each,
)
from tests.support.measured import UNTIMED

Floats = NDArray[np.float64]

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=50)
LEAST_NORMAL = 2.0**-1022
DIGITS = st.integers(0, FRACTION_BITS)


def some_values(seed: int, rows: int) -> tuple[Floats, Floats]:
    """Scores with ties, and whole weights."""
    rng = np.random.default_rng(seed)
    scores = np.where(rng.random(rows) < 0.5, rng.random(rows) ** 9, 1 - rng.random(rows) ** 9)
    return rng.choice(scores, rows), rng.integers(1, 5, rows).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@UNTIMED
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_every_different_value_has_the_weights_of_its_rows(weighted: bool, seed: int, batches: int) -> None:
    values, weights = some_values(seed, 40)
    of_first = np.random.default_rng(seed).random(40) < 0.5
    counts = BoundedCounts(40, 2)
    for batch in np.array_split(np.arange(40), batches):
        rows = [batch[of_first[batch]], batch[~of_first[batch]]]
        counts.add(*((values[these], weights[these] if weighted else None) for these in rows))
    assert counts.values.tolist() == sorted(set(values.tolist()))
    assert counts.digits == FRACTION_BITS
    for kind, mask in enumerate((of_first, ~of_first)):
        expected = [
            sum(w if weighted else 1 for v, w in zip(values[mask], weights[mask], strict=True) if v == value)
            for value in counts.values
        ]
        assert counts.weights[kind].tolist() == expected


@pytest.mark.parametrize("cut", [leading_digits, digits_from_both_ends])
@UNTIMED
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.randoms(use_true_random=False))
def test_what_does_not_fit_is_cut_to_as_many_digits_as_do_fit_in_whatever_order_it_came(
    cut: Callable[[Floats, int], Floats], seed: int, batches: int, random: object
) -> None:
    values, weights = some_values(seed, 300)
    order = np.random.default_rng(seed + 1).permutation(300)
    counts = BoundedCounts(100, 1, cut)
    for batch in np.array_split(order, batches):
        counts.add((values[batch], weights[batch]))
    different = [len(set(cut(values, digits).tolist())) for digits in range(FRACTION_BITS)]
    assert counts.digits == max(digits for digits in range(FRACTION_BITS) if different[digits] <= 100)
    rounded = cut(values, counts.digits)
    assert counts.values.tolist() == sorted(set(rounded.tolist()))
    assert counts.weights[0].tolist() == [weights[rounded == value].sum() for value in counts.values]


@UNTIMED
@given(st.lists(st.floats(0, allow_infinity=False), min_size=1), DIGITS)
def test_leading_digits_are_those_that_a_person_would_write(values: list[float], digits: int) -> None:
    for value, cut in zip(values, leading_digits(np.array(values), digits).tolist(), strict=True):
        assert 0 <= cut <= value
        if value >= LEAST_NORMAL:
            assert value - cut <= value * 2.0**-digits
            fraction, exponent = np.frexp(value)
            assert cut == np.ldexp(np.floor(np.ldexp(fraction, digits + 1)), exponent - digits - 1)


@UNTIMED
@given(SCORES, DIGITS)
def test_scores_near_one_keep_as_many_digits_as_those_near_zero_and_their_order(
    scores: list[float], digits: int
) -> None:
    ascending = np.sort(scores)
    cut = digits_from_both_ends(ascending, digits)
    assert (np.diff(cut) >= 0).all()
    assert ((cut >= 0) & (cut <= 1)).all()
    distance = np.minimum(ascending, 1 - ascending)
    assert (np.abs(cut - ascending) <= np.maximum(distance * 2.0**-digits, LEAST_NORMAL)).all()


@pytest.mark.parametrize("cut", [leading_digits, digits_from_both_ends])
@UNTIMED
@given(SCORES, DIGITS, DIGITS)
def test_to_cut_in_steps_is_to_cut(
    cut: Callable[[Floats, int], Floats], scores: list[float], one: int, other: int
) -> None:
    values = np.array(scores)
    np.testing.assert_array_equal(cut(cut(values, max(one, other)), min(one, other)), cut(values, min(one, other)))


def test_all_doubles_have_few_different_first_digits() -> None:
    values = np.ldexp(1.0, np.arange(-1074, 1024))
    counts = BoundedCounts(100, 1)
    counts.add((np.concatenate([values, 1.5 * values]), None))
    assert counts.digits == 0
    assert len(counts.values) == 2047


def test_many_columns_have_no_more_values_than_two() -> None:
    assert [values_of_each(columns) for columns in (1, 2, 4)] == [MOST_VALUES, MOST_VALUES, MOST_VALUES // 2]
    assert all(columns * values_of_each(columns) <= MOST_VALUES_OF_ALL for columns in range(1, 1001))


def test_no_values_are_no_harm() -> None:
    counts = BoundedCounts(10, 2)
    counts.add((np.empty(0), None), (np.empty(0), np.empty(0)))
    assert counts.values.tolist() == []
    assert counts.weights.shape == (2, 0)
