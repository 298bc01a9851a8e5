from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import median_absolute_error

from backprop.metrics import bounded_counts, row_buffer
from backprop.metrics.bounded_counts import leading_digits
from backprop.metrics.medians import MedianErrors
from tests.support.measured import UNTIMED, NumberRows, exactly, in_batches, number_rows


@pytest.mark.parametrize("waiting", [1, 2**21])
@UNTIMED
@given(number_rows(), st.integers(1, 4))
def test_medians_agree_with_scikit_learn(waiting: int, rows: NumberRows, batches: int) -> None:
    medians = MedianErrors(rows.actual.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_buffer, "MOST_WAITING", waiting)
        for batch in in_batches(rows.actual, batches):
            medians.add(rows.actual[batch], rows.predicted[batch], rows.weights_of(batch))
    expected = median_absolute_error(rows.actual, rows.predicted, sample_weight=rows.weights, multioutput="raw_values")
    assert medians.medians == [rows.to_scale(value) for value in expected]


@pytest.mark.parametrize("batches", [1, 3, 10])
def test_more_errors_than_fit_are_cut_to_fewer_digits(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_counts, "MOST_VALUES", 300)
    monkeypatch.setattr(row_buffer, "MOST_WAITING", 500)
    errors = np.random.default_rng(0).normal(size=(5000, 1))
    medians = MedianErrors(1)
    for batch in np.array_split(errors, batches):
        medians.add(np.zeros((len(batch), 1)), batch)
    absolute = np.abs(errors[:, 0])
    digits = max(d for d in range(52) if len(np.unique(leading_digits(absolute, d))) <= 300)
    (median,) = medians.medians
    assert median == np.median(leading_digits(absolute, digits))
    assert digits >= 4
    assert 0 <= np.median(absolute) - median <= np.median(absolute) * 2.0**-digits


def test_two_million_errors_have_an_exact_median() -> None:
    errors = np.random.default_rng(1).permutation(2**21) / 3
    medians = MedianErrors(1)
    for batch in np.array_split(errors, 7):
        medians.add(np.zeros((len(batch), 1)), batch[:, np.newaxis])
    assert medians.medians == [np.median(errors)]


def test_of_two_middle_errors_it_is_the_mean_whatever_has_no_weight() -> None:
    medians = MedianErrors(1)
    medians.add(np.zeros((4, 1)), np.array([[1.0], [-2.0], [4.0], [np.nan]]), np.array([0.5, 0.0, 0.5, 0.0]))
    assert medians.medians == [2.5]


def test_a_prediction_that_is_no_number_makes_its_column_unknown() -> None:
    medians = MedianErrors(2)
    medians.add(np.zeros((2, 2)), np.array([[np.nan, 1.0], [1.0, 1.0]]))
    medians.add(np.zeros((2, 2)), np.ones((2, 2)))
    assert medians.medians == [None, 1.0]


def test_a_median_beyond_double_precision_is_unknown() -> None:
    medians = MedianErrors(1)
    medians.add(np.full((3, 1), -1e308), np.full((3, 1), 1e308))
    assert medians.medians == [None]


def test_nothing_is_known_before_the_first_row() -> None:
    assert MedianErrors(2).medians == [None, None]


def test_exact_of_one_row() -> None:
    medians = MedianErrors(1)
    medians.add(np.array([[2.0]]), np.array([[5.0]]))
    assert medians.medians == [exactly(3)]
