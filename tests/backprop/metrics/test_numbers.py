from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from backprop.metrics.numbers import NumberErrors
from tests.support.measured import UNTIMED, NumberRows, exactly, in_batches, number_rows


def errors_of(rows: NumberRows, batches: int) -> NumberErrors:
    errors = NumberErrors(rows.actual.shape[1])
    for batch in in_batches(rows.actual, batches):
        errors.add(rows.actual[batch], rows.predicted[batch], rows.weights_of(batch))
    return errors


@UNTIMED
@given(number_rows(), st.integers(1, 4))
def test_errors_agree_with_scikit_learn(rows: NumberRows, batches: int) -> None:
    errors = errors_of(rows, batches)
    given_to = {"sample_weight": rows.weights, "multioutput": "raw_values"}
    rmse = root_mean_squared_error(rows.actual, rows.predicted, **given_to)
    assert errors.rmse == [rows.to_scale(value) for value in rmse]
    mae = mean_absolute_error(rows.actual, rows.predicted, **given_to)
    assert errors.mae == [rows.to_scale(value) for value in mae]


@UNTIMED
@given(number_rows(), st.integers(1, 4))
def test_r2_agrees_with_scikit_learn_and_is_unknown_where_all_is_the_same(rows: NumberRows, batches: int) -> None:
    counting = rows.counting
    for column, value in enumerate(errors_of(rows, batches).r2):
        actual, predicted = rows.actual[counting, column], rows.predicted[counting, column]
        if len(set(actual.tolist())) == 1:
            assert value is None
            continue
        weights = None if rows.weights is None else rows.weights[counting]
        expected = r2_score(actual, predicted, sample_weight=weights)
        assert value is not None
        assert 1 - value == pytest.approx(1 - expected, rel=1e-12)


@UNTIMED
@given(number_rows(), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_gaps_are_nothing_to_compare(rows: NumberRows, batches: int, seed: int) -> None:
    gaps = np.random.default_rng(seed).random(rows.actual.shape) < 0.3
    with_gaps = NumberRows(np.where(gaps, np.nan, rows.actual), rows.predicted, rows.weights, rows.scale)
    errors = errors_of(with_gaps, batches)
    for column in range(rows.actual.shape[1]):
        some = rows.counting & ~gaps[:, column]
        alone = NumberErrors(1)
        weights = None if rows.weights is None else rows.weights[some]
        alone.add(rows.actual[some, column : column + 1], rows.predicted[some, column : column + 1], weights)
        for ours, (expected,) in ((errors.rmse, alone.rmse), (errors.mae, alone.mae)):
            assert ours[column] == (None if expected is None else rows.to_scale(expected))
        (r2,) = alone.r2
        assert errors.r2[column] == (None if r2 is None else pytest.approx(r2, rel=1e-12, abs=1e-12 * (1 - r2)))


def test_r2_of_what_differs_by_rounding_only_is_unknown() -> None:
    errors = NumberErrors(2)
    errors.add(np.array([[0.1, 1.0], [0.1 + 2**-50, 2.0]]), np.array([[0.1, 1.0], [0.2, 2.0]]))
    assert errors.r2 == [None, 1.0]


def test_values_that_are_not_finite_matter_in_no_row_of_weight_0() -> None:
    errors = NumberErrors(1)
    errors.add(np.array([[1.0], [3.0], [np.inf]]), np.array([[1.0], [np.nan], [-np.inf]]), np.array([1, 0, 0]))
    errors.add(np.array([[3.0]]), np.array([[1.0]]), np.array([3]))
    assert errors.rmse == [exactly(3**0.5)]
    assert errors.mae == [1.5]
    assert errors.r2 == [-3.0]


@pytest.mark.parametrize("predicted", [1e200, np.inf, np.nan])
def test_errors_beyond_double_precision_are_unknown_not_infinite(predicted: float) -> None:
    errors = NumberErrors(2)
    errors.add(np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[predicted, 0.0], [1.0, 2.0]]))
    assert errors.rmse == [None, 0.0]
    assert errors.r2 == [None, 1.0]
    assert errors.mae == [5e199 if predicted == 1e200 else None, 0.0]


def test_nothing_is_known_before_the_first_row() -> None:
    errors = NumberErrors(1)
    assert errors.rmse == errors.mae == errors.r2 == [None]
    errors.add(np.ones((3, 1)), np.zeros((3, 1)), np.zeros(3))
    assert errors.rmse == errors.mae == errors.r2 == [None]
