from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from backprop.metrics.reliability import BINS, Reliability
from tests.support.measured import UNTIMED, ClassRows, class_rows, exactly, in_batches


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_the_curve_agrees_with_scikit_learn(rows: ClassRows, batches: int) -> None:
    reliability = Reliability(rows.classes)
    for batch in in_batches(rows.actual, batches):
        reliability.add(rows.actual[batch], rows.scores[batch], rows.weights_of(batch))
    # Theirs takes no weights: rows are repeated instead, four times as often as their weights say.
    times = 4 if rows.weights is None else (4 * rows.weights).astype(int)
    actual, scores = np.repeat(rows.actual, times), np.repeat(rows.scores, times, axis=0)
    for position, curve in enumerate(reliability.curves()):
        share, mean = calibration_curve(actual == position, scores[:, position], pos_label=True, n_bins=BINS)
        assert curve is not None
        assert curve["share"] == [exactly(value) for value in share]
        assert curve["score"] == [exactly(value) for value in mean]
        assert sum(curve["count"]) == (len(rows.actual) if rows.weights is None else exactly(rows.weights.sum()))
        assert {type(each) for each in curve["count"]} == {int if rows.weights is None else float}


def test_a_score_on_an_edge_belongs_to_the_bin_below() -> None:
    reliability = Reliability(2)
    second = np.array([0.0, 0.1, 0.10000000000000002, 1.0])
    reliability.add(np.array([0, 1, 1, 0]), np.stack([1 - second, second], axis=1))
    curve = reliability.curves()[1]
    assert curve is not None
    assert (curve["count"], curve["share"]) == ([2, 1, 1], [0.5, 1.0, 0.0])


def test_a_score_that_is_no_number_makes_everything_unknown() -> None:
    reliability = Reliability(2)
    reliability.add(np.array([0, 1]), np.array([[0.2, 0.8], [0.5, np.nan]]))
    reliability.add(np.array([0]), np.array([[0.2, 0.8]]))
    assert reliability.curves() == [None, None]


def test_nothing_is_known_before_the_first_row() -> None:
    assert Reliability(2).curves() == [None, None]
