"""`warm_start` and `partial_fit`: trainings that go on from what they have learned."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

RNG = np.random.default_rng(11)
X = RNG.normal(size=(120, 3))
Y = np.column_stack([X[:, 0] * X[:, 1], X[:, 2] ** 2])
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "above", "below")

OF_EACH: list[tuple[Any, tuple[Any, ...]]] = [
    (BackpropClassifier, (X, LABELS)),
    (BackpropRegressor, (X, Y)),
    (BackpropAutoencoder, (X,)),
]
each = pytest.mark.parametrize(("kind", "data"), OF_EACH)


@each
def test_descent_that_goes_on_has_the_bits_of_one_that_never_ended(kind: Any, data: tuple[Any, ...]) -> None:
    """Gradient descent remembers nothing but its parameters."""
    how: dict[str, Any] = {"hidden": 4, "optimizer": "gradient_descent", "learning_rate": 0.1}
    whole = kind(**how, iterations=30).fit(*data)
    parts = kind(**how, iterations=12, warm_start=True).fit(*data)
    first = parts.loss_curve_
    parts.set_params(iterations=18).fit(*data)
    assert [*first, *parts.loss_curve_[1:]] == whole.loss_curve_
    assert parts.loss_curve_[0] == first[-1]
    for ours, theirs in zip(parts.coefs_ + parts.intercepts_, whole.coefs_ + whole.intercepts_, strict=True):
        assert np.array_equal(ours, theirs)
    assert not np.array_equal(parts.coefs_[0], kind(**how, iterations=18).fit(*data).coefs_[0])


def test_what_a_warm_start_cannot_go_on_with_is_refused_and_forgotten() -> None:
    classifier = BackpropClassifier(hidden=4, iterations=3, warm_start=True).fit(X, LABELS)
    with pytest.raises(ValueError, match="expecting 3 features"):
        classifier.fit(X[:, :2], LABELS)
    with pytest.raises(ValueError, match="goes on with the classes of before"):
        classifier.fit(X, np.where(X[:, 0] > 0, "above", "beside"))
    with pytest.raises(ValueError, match="another network"):
        classifier.set_params(hidden=5).fit(X, LABELS)
    classifier.set_params(hidden=4).fit(X, LABELS)
    assert classifier.score(X, LABELS) > 0.9
    regressor = BackpropRegressor(hidden=4, iterations=3, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="targets in y is 1, and was 2"):
        regressor.fit(X, Y[:, 0])
    assert regressor.fit(X, Y).predict(X).shape == Y.shape


@each
def test_a_warm_start_keeps_the_network_that_was_chosen_for_other_rows(kind: Any, data: tuple[Any, ...]) -> None:
    """The preset would have another one for so many: more units, and relu."""
    many = tuple(np.tile(column, (50, *[1] * (column.ndim - 1))) for column in data)
    estimator = kind(warm_start=True, iterations=2).fit(*data)
    shapes, activations = [W.shape for W in estimator.coefs_], estimator.activations_
    estimator.fit(*many)
    assert [W.shape for W in estimator.coefs_] == shapes
    assert estimator.activations_ == activations
    with pytest.raises(ValueError, match="as many hidden layers as before, 1, and not 2"):
        estimator.set_params(hidden=(4, 4)).fit(*data)


def test_a_call_of_partial_fit_is_a_pass_in_mini_batches_as_fit_makes_it() -> None:
    how: dict[str, Any] = {"hidden": 4, "optimizer": "adam", "batch_size": 16, "learning_rate": 0.05}
    some = BackpropRegressor(**how).partial_fit(X, Y)
    whole = BackpropRegressor(**how, epochs=1, dtype="float32", activation="relu", weight_decay=1e-4, init="uniform")
    whole.fit(X, Y)
    assert some.n_iter_ == 8
    assert len(some.loss_curve_) == 9
    assert some.loss_curve_ == whole.loss_curve_
    assert all(np.array_equal(a, b) for a, b in zip(some.coefs_, whole.coefs_, strict=True))


@each
def test_the_optimizer_remembers_from_call_to_call(kind: Any, data: tuple[Any, ...]) -> None:
    """The same rows again and again are as many epochs, but for the order of the rows of the last batch looked at."""
    how: dict[str, Any] = {"hidden": 4, "batch_size": 16, "learning_rate": 0.03, "dtype": "float64"}
    more = {"classes": ["above", "below"]} if kind is BackpropClassifier else {}
    stream = kind(**how)
    for _ in range(6):
        stream = pickle.loads(pickle.dumps(stream)).partial_fit(*data, **more)
    epochs = kind(**how, epochs=6, activation="relu", weight_decay=1e-4, init="uniform").fit(*data)
    assert stream.n_iter_ == epochs.n_iter_ == 48
    for ours, theirs in zip(stream.coefs_, epochs.coefs_, strict=True):
        assert np.array_equal(ours, theirs)


def test_rows_that_come_bit_by_bit_are_learned() -> None:
    classifier = BackpropClassifier(hidden=8, learning_rate=0.02)
    with pytest.raises(ValueError, match="needs all classes"):
        classifier.partial_fit(X, LABELS)
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = rng.normal(size=(rng.integers(1, 40), 3))
        classifier.partial_fit(rows, np.where(rows[:, 0] > rows[:, 1], "a", "b"), classes=["a", "b", "never seen"])
    assert list(classifier.classes_) == ["a", "b", "never seen"]
    assert classifier.score(X, np.where(X[:, 0] > X[:, 1], "a", "b")) > 0.95
    for strange in (["a", "b"], ["a", "b", "new"]):
        with pytest.raises(ValueError, match="classes are"):
            classifier.partial_fit(X, LABELS, classes=strange)
    with pytest.raises(ValueError, match="'above' is not among the classes"):
        classifier.partial_fit(X, LABELS)


def test_partial_fit_goes_on_from_fit() -> None:
    regressor = BackpropRegressor(hidden=6, iterations=40, dtype="float64").fit(X, Y)
    reached = float(np.mean((regressor.predict(X) - Y) ** 2))
    coefs = [W.copy() for W in regressor.coefs_]
    regressor.set_params(batch_size=120, learning_rate=1e-12, optimizer="momentum", iterations=None)
    regressor.partial_fit(X, Y)
    assert all(np.allclose(a, b, atol=1e-9) for a, b in zip(coefs, regressor.coefs_, strict=True))
    assert float(np.mean((regressor.predict(X) - Y) ** 2)) == pytest.approx(reached)
    with pytest.raises(ValueError, match="targets in y is 1, and was 2"):
        regressor.partial_fit(X, Y[:, 0])


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"optimizer": "lbfgs"}, "lbfgs all rows"),
        ({"holdout": 0.2}, "no holdout"),
        ({"class_weight": "balanced"}, "needs all rows at once"),
    ],
)
def test_what_partial_fit_cannot_do_is_refused(parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        BackpropClassifier(**parameters).partial_fit(X, LABELS, classes=["above", "below"])


def test_partial_fit_is_not_there_with_a_service() -> None:
    estimator = BackpropClassifier(service="http://127.0.0.1:9")
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(AttributeError) as refused:
        _ = estimator.partial_fit
    assert "a service trains on whole tables" in str(refused.value.__cause__)
