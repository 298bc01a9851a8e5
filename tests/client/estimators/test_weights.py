"""`sample_weight` and `class_weight`: a row of weight n counts as n rows do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

ROWS = 24
RNG = np.random.default_rng(3)
X = RNG.normal(size=(ROWS, 2)) * [1, 100] + [5, 0]
Y = X[:, 0] ** 2 - X[:, 1] / 50 + RNG.normal(size=ROWS)
LABELS = np.where(np.median(Y) < Y, "much", "little")

CLOSE: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-8}
"""Sums of the same numbers in another order, and what a few updates make of that."""

counts = st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS).map(np.array)

kinds = pytest.mark.parametrize(
    ("kind", "y"), [(BackpropClassifier, LABELS), (BackpropRegressor, Y), (BackpropAutoencoder, None)]
)


def with_two_classes(times: NDArray[Any]) -> NDArray[Any]:
    """The same, with a row of each class at least, and rows of several values."""
    times = times.copy()
    times[[np.argmin(Y), np.argmax(Y)]] += 1
    return times


@kinds
@settings(max_examples=15)
@given(times=counts)
def test_a_row_of_weight_n_counts_as_n_rows(kind: Any, y: NDArray[Any] | None, times: NDArray[Any]) -> None:
    times = with_two_classes(times)
    how: dict[str, Any] = {"hidden": 3, "iterations": 8, "tolerance": 0}
    weighted = kind(**how).fit(X, y, sample_weight=times)
    repeated = kind(**how).fit(np.repeat(X, times, axis=0), None if y is None else np.repeat(y, times))
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, **CLOSE)
    for ours, theirs in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@kinds
@settings(max_examples=5)
@given(factor=st.floats(1e-3, 1e3))
def test_only_the_proportions_of_weights_count(kind: Any, y: NDArray[Any] | None, factor: float) -> None:
    weights = np.linspace(0.2, 2, ROWS)
    one, other = (
        kind(hidden=3, iterations=8, tolerance=0).fit(X, y, sample_weight=w) for w in (weights, factor * weights)
    )
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, **CLOSE)


@pytest.mark.parametrize("labels", [LABELS, LABELS == "much", np.digitize(Y, np.quantile(Y, [0.3, 0.6]))])
@pytest.mark.parametrize("holdout", [0.0, 0.25])
def test_the_weight_of_a_class_is_that_of_each_of_its_rows(labels: NDArray[Any], holdout: float) -> None:
    classes = np.unique(labels)
    weights = dict(zip(classes.tolist(), (3.0, 0.5, 2.0), strict=False))
    how: dict[str, Any] = {"hidden": 3, "iterations": 8, "tolerance": 0, "scaling": "none", "holdout": holdout}
    by_class = BackpropClassifier(**how, class_weight=weights).fit(X, labels)
    by_row = BackpropClassifier(**how).fit(X, labels, sample_weight=[weights[label] for label in labels.tolist()])
    np.testing.assert_allclose(by_class.loss_curve_, by_row.loss_curve_, **CLOSE)
    if holdout:
        np.testing.assert_allclose(by_class.validation_loss_curve_, by_row.validation_loss_curve_, **CLOSE)


def test_balanced_classes_weigh_the_same_in_sum() -> None:
    labels = np.sort(Y)[-5] < Y
    assert labels.sum() == 4
    balanced = BackpropClassifier(hidden=3, iterations=8, tolerance=0, class_weight="balanced").fit(X, labels)
    told = BackpropClassifier(hidden=3, iterations=8, tolerance=0, class_weight={False: 24 / 40, True: 24 / 8})
    assert balanced.loss_curve_ == told.fit(X, labels).loss_curve_
    assert balanced.loss_curve_ != BackpropClassifier(hidden=3, iterations=8, tolerance=0).fit(X, labels).loss_curve_


def test_weights_of_rows_and_classes_multiply() -> None:
    rows = np.linspace(0.2, 2, ROWS)
    how: dict[str, Any] = {"hidden": 3, "iterations": 8, "tolerance": 0, "scaling": "none"}
    both = BackpropClassifier(**how, class_weight={"much": 4.0}).fit(X, LABELS, sample_weight=rows)
    product = BackpropClassifier(**how).fit(X, LABELS, sample_weight=rows * np.where(LABELS == "much", 4, 1))
    np.testing.assert_allclose(both.loss_curve_, product.loss_curve_, **CLOSE)


def test_score_weighs_rows() -> None:
    regressor = BackpropRegressor(hidden=3, iterations=4).fit(X, Y)
    times = np.arange(ROWS) % 3
    repeated = regressor.score(np.repeat(X, times, axis=0), np.repeat(Y, times))
    assert regressor.score(X, Y, sample_weight=times) == pytest.approx(repeated)
    autoencoder = BackpropAutoencoder(1, iterations=4).fit(X)
    assert autoencoder.score(X, sample_weight=times) == pytest.approx(autoencoder.score(np.repeat(X, times, axis=0)))


@pytest.mark.parametrize("weights", [np.zeros(ROWS), -np.ones(ROWS), np.full(ROWS, np.nan), np.ones(3)])
def test_weights_that_are_none_are_refused(weights: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="weight"):
        BackpropRegressor(iterations=1).fit(X, Y, sample_weight=weights)
