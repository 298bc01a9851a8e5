from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, r2_score, root_mean_squared_error

from backprop.metrics import ConfusionMatrix, NumberErrors


@given(st.integers(2, 6), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_confusion_and_accuracy_agree_with_scikit_learn(classes: int, seed: int, batches: int) -> None:
    actual, predicted = np.random.default_rng(seed).integers(0, classes, (2, 50)).astype(np.intp)
    confusion = ConfusionMatrix(classes)
    for y, guess in zip(np.array_split(actual, batches), np.array_split(predicted, batches), strict=True):
        confusion.add(y, guess)
    np.testing.assert_array_equal(confusion.counts, confusion_matrix(actual, predicted, labels=range(classes)))
    assert confusion.accuracy == pytest.approx(accuracy_score(actual, predicted), rel=1e-15)


@given(st.sampled_from([1, 2, 3, 5]), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_rmse_and_r2_agree_with_scikit_learn(targets: int, seed: int, batches: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.normal(100, 5, (60, targets))
    predicted = actual + rng.normal(0, 2, (60, targets))
    errors = NumberErrors(targets)
    for y, guess in zip(np.array_split(actual, batches), np.array_split(predicted, batches), strict=True):
        errors.add(y, guess)
    assert errors.rmse == pytest.approx(root_mean_squared_error(actual, predicted, multioutput="raw_values"))
    assert errors.r2 == pytest.approx(r2_score(actual, predicted, multioutput="raw_values"))


def test_r2_of_a_constant_target_is_unknown() -> None:
    errors = NumberErrors(2)
    errors.add(np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]]), np.array([[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]))
    assert errors.r2 == [None, 1.0]


def test_nothing_is_known_before_the_first_row() -> None:
    assert ConfusionMatrix(2).accuracy is None
    assert NumberErrors(1).rmse == [None]
    assert NumberErrors(1).r2 == [None]


def test_errors_beyond_double_precision_are_unknown_not_infinite() -> None:
    errors = NumberErrors(1)
    errors.add(np.array([[0.0], [1.0]]), np.array([[1e200], [np.nan]]))
    assert errors.rmse == [None]
    assert errors.r2 == [None]
