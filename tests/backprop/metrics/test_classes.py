from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from backprop.metrics import bounded_counts, row_buffer
from backprop.metrics.classes import ClassMetrics
from tests.support.measured import UNTIMED, ClassRows, class_rows, exactly, in_batches


@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_every_value_is_plain_json_and_never_nan(rows: ClassRows, batches: int) -> None:
    measured = ClassMetrics(rows.classes, probabilities=True)
    for batch in in_batches(rows.actual, batches):
        measured.add(rows.actual[batch], rows.predicted[batch], rows.probabilities[batch], rows.weights_of(batch))
    names = list(rows.names)
    metrics = measured.to_json(names)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["classes"] == metrics["confusion_matrix"]["classes"] == names
    for name in ("precision", "recall", "f1", "roc_auc", "average_precision"):
        known = [value for value in metrics[name]["by_class"] if value is not None]
        assert len(metrics[name]["by_class"]) == rows.classes
        assert metrics[name]["mean"] == (exactly(np.mean(known)) if known else None)
    for name in ("roc_curve", "reliability_curve"):
        assert len(metrics[name]["by_class"]) == rows.classes
    assert [curve is None for curve in metrics["roc_curve"]["by_class"]] == [
        area is None for area in metrics["roc_auc"]["by_class"]
    ]


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_means_are_what_scikit_learn_calls_macro(classes: int, weighted: bool) -> None:
    rng = np.random.default_rng(0)
    actual, predicted = rng.integers(0, classes, (2, 500))
    scores = rng.dirichlet(np.ones(classes), 500)
    weights = rng.random(500) if weighted else None
    measured = ClassMetrics(classes, probabilities=True)
    measured.add(actual, predicted, scores, weights)
    metrics = measured.to_json(list(range(classes)))
    labels = {"sample_weight": weights}
    one_hot = np.eye(classes)[actual]
    assert {
        name: metrics[name] if name in ("accuracy", "log_loss", "brier_score") else metrics[name]["mean"]
        for name in ("accuracy", "log_loss", "brier_score", "precision", "recall", "f1", "roc_auc", "average_precision")
    } == {
        "accuracy": exactly(accuracy_score(actual, predicted, **labels)),
        "log_loss": exactly(log_loss(actual, y_proba=scores, **labels)),
        "brier_score": exactly(brier_score_loss(actual, scores, labels=range(classes), **labels)),
        "precision": exactly(precision_score(actual, predicted, average="macro", **labels)),
        "recall": exactly(recall_score(actual, predicted, average="macro", **labels)),
        "f1": exactly(f1_score(actual, predicted, average="macro", **labels)),
        "roc_auc": exactly(roc_auc_score(one_hot, scores, average="macro", **labels)),
        "average_precision": exactly(average_precision_score(one_hot, scores, average="macro", **labels)),
    }
    assert metrics["balanced_accuracy"] == metrics["recall"]["mean"]
    assert metrics["matthews_correlation"] == exactly(matthews_corrcoef(actual, predicted, **labels))


def test_scores_that_are_no_probabilities_have_no_log_loss() -> None:
    measured = ClassMetrics(3, probabilities=False)
    measured.add(np.array([0, 1, 2]), np.array([0, 1, 1]), np.array([[1.0, 0.5, 0.5], [0.1, 0.2, 0.0], [0, 0.4, 0.3]]))
    metrics = measured.to_json(["a", "b", "c"])
    assert metrics["log_loss"] is metrics["brier_score"] is None
    assert metrics["roc_auc"]["mean"] == 0.5
    assert metrics["reliability_curve"]["by_class"][0] == {"score": [0.05, 1.0], "share": [0.0, 1.0], "count": [2, 1]}


def test_of_many_classes_there_are_numbers_and_no_curves() -> None:
    rng = np.random.default_rng(0)
    measured = ClassMetrics(101, probabilities=True)
    actual, predicted = rng.integers(0, 101, (2, 1000))
    measured.add(actual, predicted, rng.dirichlet(np.ones(101), 1000))
    metrics = measured.to_json(list(range(101)))
    assert metrics["confusion_matrix"] is metrics["roc_curve"] is metrics["reliability_curve"] is None
    assert len(metrics["roc_auc"]["by_class"]) == 101


def test_memory_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_counts, "MOST_VALUES", 2**10)
    monkeypatch.setattr(row_buffer, "MOST_WAITING", 2**12)

    def peak(batches: int) -> int:
        rng = np.random.default_rng(0)
        measured = ClassMetrics(2, probabilities=True)
        tracemalloc.start()
        for _ in range(batches):
            second = rng.random(1000)
            actual = (rng.random(1000) < second).astype(np.intp)
            measured.add(actual, actual, np.stack([1 - second, second], axis=1))
        measured.to_json([0, 1])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)  # what is imported or kept for good
    assert peak(200) < 1.5 * peak(10)
