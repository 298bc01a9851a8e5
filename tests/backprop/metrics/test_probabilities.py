from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from backprop.metrics.probabilities import ProbabilityErrors
from tests.support.measured import UNTIMED, ClassRows, class_rows, exactly, in_batches


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_log_loss_and_brier_score_agree_with_scikit_learn(rows: ClassRows, batches: int) -> None:
    errors = ProbabilityErrors(rows.classes)
    probabilities = rows.probabilities
    for batch in in_batches(rows.actual, batches):
        errors.add(rows.actual[batch], probabilities[batch], rows.weights_of(batch))
    labels = np.array(rows.names)
    given_to = {
        "y_true": labels[rows.actual],
        "y_proba": probabilities,
        "sample_weight": rows.weights,
        "labels": labels,
    }
    assert errors.log_loss == exactly(log_loss(**given_to))
    assert errors.brier_score == exactly(brier_score_loss(**given_to))


def test_a_class_that_was_held_for_impossible_costs_no_more_than_36() -> None:
    sure = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    errors = ProbabilityErrors(3)
    errors.add(np.array([0, 2]), sure)
    assert errors.log_loss == exactly(log_loss([0, 2], sure, labels=[0, 1, 2]))
    assert errors.log_loss == pytest.approx(52 * np.log(2) / 2)
    assert errors.brier_score == 1.0


def test_probabilities_are_left_as_they_are() -> None:
    probabilities = np.array([[0.25, 0.75]])
    ProbabilityErrors(2).add(np.array([0]), probabilities)
    assert probabilities.tolist() == [[0.25, 0.75]]


def test_what_is_no_number_is_unknown_unless_its_weight_is_0() -> None:
    broken = np.array([[np.nan, np.nan], [0.5, 0.5]])
    errors = ProbabilityErrors(2)
    errors.add(np.array([0, 1]), broken, np.array([0.0, 1.0]))
    assert errors.brier_score == 0.25
    errors.add(np.array([0, 1]), broken)
    assert errors.log_loss is errors.brier_score is None


def test_nothing_is_known_before_the_first_row() -> None:
    assert ProbabilityErrors(2).log_loss is ProbabilityErrors(2).brier_score is None
