"""Held-out rows, and the training that ends when their cost no longer falls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backprop.coding.holdout import holdout_mask, stratified_mask
from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

RNG = np.random.default_rng(8)
X = RNG.normal(size=(90, 4))
Y = np.sin(2 * X[:, 0]) + RNG.normal(size=90) / 2
LABELS = np.digitize(Y, [-0.8, 0.9])


def test_held_out_rows_are_measured_and_not_learned_from() -> None:
    """J of them by hand, at the model that the training leaves."""
    regressor: Any = BackpropRegressor(hidden=5, holdout=0.3, weight_decay=0, iterations=20, tolerance=0).fit(X, Y)
    held = holdout_mask(90, 0.3, 0)
    alone = BackpropRegressor(hidden=5, weight_decay=0, iterations=20, tolerance=0).fit(X[~held], Y[~held])
    assert regressor.loss_curve_ == alone.loss_curve_
    assert np.array_equal(regressor.predict(X), alone.predict(X))
    errors = (regressor.predict(X[held]) - Y[held]) / np.std(Y[~held])
    assert regressor.validation_iterations_ == list(range(21))
    assert regressor.validation_loss_curve_[-1] == pytest.approx(0.5 * np.mean(errors**2))
    assert regressor.best_validation_loss_ == min(regressor.validation_loss_curve_)
    assert regressor.best_iteration_ == 20


def test_of_each_class_its_share_is_held_out() -> None:
    how: dict[str, Any] = {"hidden": 5, "weight_decay": 0, "iterations": 10, "tolerance": 0, "random_state": 4}
    classifier: Any = BackpropClassifier(**how, holdout=0.3)
    classifier.fit(X, LABELS)
    held = stratified_mask(LABELS, 3, 0.3, 4)
    true = classifier.predict_proba(X[held])[np.arange(held.sum()), LABELS[held]]
    assert classifier.validation_loss_curve_[-1] == pytest.approx(-np.mean(np.log(true)))


@pytest.mark.parametrize(
    "how",
    [
        {"optimizer": "lbfgs", "iterations": 300},
        {"optimizer": "adam", "learning_rate": 0.05, "iterations": 600},
        {"batch_size": 10, "learning_rate": 0.03, "epochs": 100, "held_out_every": 7},
    ],
    ids=["lbfgs", "adam", "mini-batches"],
)
@pytest.mark.parametrize(
    ("kind", "y"), [(BackpropClassifier, LABELS), (BackpropRegressor, Y), (BackpropAutoencoder, None)]
)
def test_patience_ends_a_training_at_its_best(kind: Any, y: Any, how: dict[str, Any]) -> None:
    how = {"hidden": 12, "holdout": 0.3, "weight_decay": 0, **how}
    patient = kind(**how, patience=14).fit(X, y)
    best = int(np.argmin(patient.validation_loss_curve_))
    assert patient.best_validation_loss_ == patient.validation_loss_curve_[best]
    assert patient.best_iteration_ == patient.validation_iterations_[best]
    assert patient.loss_ == patient.loss_curve_[patient.best_iteration_]
    assert len(patient.loss_curve_) == patient.n_iter_ + 1
    if kind is not BackpropAutoencoder:  # that one gets better and better
        assert patient.stopped_by_ == "patience"
        assert 14 <= patient.n_iter_ - patient.best_iteration_ <= 14 + how.get("held_out_every", 1)
        shorter = {name: value for name, value in how.items() if name != "epochs"}
        at_best = kind(**{**shorter, "iterations": patient.best_iteration_}).fit(X, y)
        assert np.array_equal(patient.predict(X), at_best.predict(X))


def test_without_held_out_rows_there_is_nothing_to_show_of_them() -> None:
    regressor = BackpropRegressor(iterations=3).fit(X, Y)
    assert regressor.validation_loss_curve_ is None
    assert regressor.validation_iterations_ is None
    assert regressor.best_validation_loss_ is None
    assert regressor.best_iteration_ == regressor.n_iter_ == 3


def test_l_bfgs_has_its_usual_tolerance_by_the_rows_that_are_trained_on() -> None:
    """Of 5,400 rows, 1,000 are held out, and what is left is few enough to take all at once."""
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(5400, 2)), rng.normal(size=5400)
    regressor = BackpropRegressor(hidden=2, holdout=0.2).fit(X, X @ [1.0, 2.0] + noise)
    assert regressor.stopped_by_ == "tolerance"
    assert regressor.coefs_[0].dtype == np.float64
