from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from backprop.metrics.confusion import LARGEST_MATRIX, ClassCounts
from tests.support.measured import UNTIMED, ClassRows, class_rows, exactly, in_batches


def counted(rows: ClassRows, batches: int) -> ClassCounts:
    counts = ClassCounts(rows.classes)
    for batch in in_batches(rows.actual, batches):
        counts.add(rows.actual[batch], rows.predicted[batch], rows.weights_of(batch))
    return counts


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_shares_of_right_rows_agree_with_scikit_learn(rows: ClassRows, batches: int) -> None:
    counts = counted(rows, batches)
    given_to = {
        "y_true": rows.labels(rows.actual),
        "y_pred": rows.labels(rows.predicted),
        "sample_weight": rows.weights,
    }
    assert counts.accuracy == exactly(accuracy_score(**given_to))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class without rows
        correlation = matthews_corrcoef(**given_to)
        # A class whose rows all have weight 0 is 0/0 there, and makes all of it NaN.
        balanced = balanced_accuracy_score(**rows.without_weight_0(given_to))
    assert counts.matthews_correlation == exactly(correlation)
    assert counts.balanced_accuracy == exactly(balanced)


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_precision_recall_and_f1_agree_with_scikit_learn(rows: ClassRows, batches: int) -> None:
    counts = counted(rows, batches)
    expected = precision_recall_fscore_support(
        rows.actual,
        rows.predicted,
        labels=range(rows.classes),
        sample_weight=rows.weights,
        zero_division=np.nan,
    )
    for ours, theirs in zip((counts.precision, counts.recall, counts.f1), expected, strict=False):
        assert ours == [None if np.isnan(value) else exactly(value) for value in theirs]


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_the_matrix_agrees_with_scikit_learn(rows: ClassRows, batches: int) -> None:
    matrix = counted(rows, batches).matrix
    expected = confusion_matrix(rows.actual, rows.predicted, labels=range(rows.classes), sample_weight=rows.weights)
    assert matrix == expected.tolist()
    assert matrix is not None
    assert {type(cell) for row in matrix for cell in row} == {int if rows.weights is None else float}


def test_a_matrix_that_nobody_could_read_is_left_out() -> None:
    rng = np.random.default_rng(0)
    actual, predicted = rng.integers(0, LARGEST_MATRIX + 1, (2, 5000))
    counts = ClassCounts(LARGEST_MATRIX + 1)
    counts.add(actual, predicted)
    assert counts.matrix is None
    assert counts.matthews_correlation == exactly(matthews_corrcoef(actual, predicted))


@pytest.mark.parametrize("predicted", [[0, 0, 0], [1, 0, 1]])
def test_no_correlation_where_there_is_one_class_only(predicted: list[int]) -> None:
    counts = ClassCounts(2)
    counts.add(np.array([0, 0, 0]), np.array(predicted))
    assert counts.matthews_correlation == 0


def test_nothing_is_known_before_the_first_row() -> None:
    counts = ClassCounts(2)
    values: list[Any] = [counts.accuracy, counts.balanced_accuracy, counts.matthews_correlation]
    assert [*values, *counts.precision, *counts.recall, *counts.f1] == [None] * 9
    assert counts.matrix == [[0, 0], [0, 0]]


@UNTIMED
@given(class_rows())
def test_rows_of_weight_0_are_no_rows(rows: ClassRows) -> None:
    counts = ClassCounts(rows.classes)
    counts.add(rows.actual, rows.predicted, np.zeros(len(rows.actual)))
    assert counts.accuracy is counts.balanced_accuracy is counts.matthews_correlation is None
    assert counts.precision == counts.recall == counts.f1 == [None] * rows.classes


def test_weights_beyond_double_precision_make_values_unknown() -> None:
    counts = ClassCounts(2)
    counts.add(np.array([0, 1, 1]), np.array([0, 1, 0]), np.full(3, 1e200))
    assert counts.accuracy == exactly(2 / 3)
    assert counts.matthews_correlation is None
