"""scikit-learn's callbacks: they are told of each iteration or epoch, and can stop a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from sklearn.callback import ScoringMonitor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

RNG = np.random.default_rng(5)
X = RNG.normal(size=(50, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


@dataclass(eq=False)
class Listener:
    """Writes down what it is told.

    Attributes:
        stops_after: so many tasks; None for never.
        steps: what has been called, with the name of the task.
        models: of the ends of tasks, an estimator that is ready to be used.
        told: what has come with the end of the last task.
    """

    stops_after: int | None = None
    steps: list[str] = field(default_factory=list)
    models: list[Any] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def setup(self, estimator: Any, context: Any) -> None:
        self.steps.append(f"setup of {context.max_subtasks}")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.steps.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.steps.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, metadata: Any, fitted_estimator: Any
    ) -> bool:
        self.steps.append(f"end {context.task_name}")
        if fitted_estimator is not None:
            self.models.append(fitted_estimator)
            self.told = {"X": X, "y": y, "metadata": metadata}
        return len(self.models) == self.stops_after


def test_each_iteration_is_told_with_a_model_that_can_be_used() -> None:
    listener = Listener()
    weights = np.linspace(0.5, 1, 50)
    fitted = BackpropClassifier(hidden=4, iterations=3, tolerance=0).set_callbacks(listener).fit(X, LABELS, weights)
    assert listener.steps == [
        "setup of 3",
        "begin fit",
        *(["begin iteration", "end iteration"] * 3),
        "end fit",
        "teardown",
    ]
    assert listener.told["X"] is X
    assert listener.told["y"] is LABELS
    assert np.array_equal(listener.told["metadata"]["sample_weight"], weights)
    # What it would have been after so many iterations is what it is after so many.
    for iterations, model in enumerate([*listener.models[:3]], start=1):
        alone = BackpropClassifier(hidden=4, iterations=iterations, tolerance=0).fit(X, LABELS, weights)
        assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))
    assert np.array_equal(listener.models[-1].predict_proba(X), fitted.predict_proba(X))


def test_nothing_is_another_for_being_watched() -> None:
    watched = BackpropRegressor(hidden=4, iterations=8).set_callbacks(Listener()).fit(X, X[:, 0] ** 2)
    alone = BackpropRegressor(hidden=4, iterations=8).fit(X, X[:, 0] ** 2)
    assert watched.loss_curve_ == alone.loss_curve_
    assert np.array_equal(watched.predict(X), alone.predict(X))


def test_each_epoch_is_told_with_mini_batches() -> None:
    listener = Listener()
    fitted = BackpropClassifier(batch_size=8, epochs=4).set_callbacks(listener).fit(X, LABELS)
    assert listener.steps[0] == "setup of 4"
    assert listener.steps.count("end epoch") == listener.steps.count("begin epoch") == 4
    assert fitted.n_iter_ == 4 * 7
    for epochs, model in enumerate(listener.models[:4], start=1):
        alone = BackpropClassifier(batch_size=8, epochs=epochs).fit(X, LABELS)
        assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize(("length", "updates"), [({"iterations": 40}, 3), ({"batch_size": 8, "epochs": 40}, 3 * 7)])
def test_a_callback_can_stop(length: dict[str, Any], updates: int) -> None:
    listener = Listener(stops_after=3)
    stopped = BackpropClassifier(hidden=4, **length).set_callbacks(listener).fit(X, LABELS)
    assert stopped.stopped_by_ == "callback"
    assert stopped.n_iter_ == stopped.best_iteration_ == updates
    assert len(stopped.loss_curve_) == updates + 1
    assert np.array_equal(stopped.predict_proba(X), listener.models[2].predict_proba(X))
    assert listener.steps[-2:] == ["end fit", "teardown"]


def test_a_training_that_ends_early_ends_what_it_has_begun() -> None:
    listener = Listener()
    fitted = BackpropClassifier(hidden=4, tolerance=0.1).set_callbacks(listener).fit(X, LABELS)
    assert fitted.stopped_by_ == "tolerance"
    assert listener.steps.count("begin iteration") == listener.steps.count("end iteration") == fitted.n_iter_ + 1


def test_without_iterations_there_is_a_beginning_and_an_end() -> None:
    listener = Listener()
    BackpropClassifier(iterations=0).set_callbacks(listener).fit(X, LABELS)
    assert listener.steps == ["setup of 0", "begin fit", "end fit", "teardown"]


def test_a_callback_that_fails_ends_the_training() -> None:
    class Failing(Listener):
        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            super().on_fit_task_begin(estimator, context)
            if len(self.steps) > 4:
                raise RuntimeError("the disk is full")

    listener = Failing()
    with pytest.raises(RuntimeError, match="the disk is full"):
        BackpropClassifier(iterations=1000).set_callbacks(listener).fit(X, LABELS)
    assert listener.steps[-1] == "teardown"


def test_an_autoencoder_of_a_moment_can_transform() -> None:
    listener = Listener()
    fitted = BackpropAutoencoder(2, iterations=5).set_callbacks(listener).fit(X)
    assert [model.transform(X).shape for model in listener.models] == [(50, 2)] * 6
    assert np.array_equal(listener.models[-1].transform(X), fitted.transform(X))


def test_scikit_learns_own_monitor_scores_each_iteration() -> None:
    monitor = ScoringMonitor(scoring="neg_log_loss")
    BackpropClassifier(hidden=4, iterations=6, tolerance=0).set_callbacks(monitor).fit(X, LABELS)
    whole, *iterations = [row["neg_log_loss"] for row in monitor.get_logs().data]
    assert len(iterations) == 6
    assert iterations[0] < iterations[-1] == whole


def test_a_pipelines_callbacks_hear_of_iterations() -> None:
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = BackpropClassifier(hidden=4, iterations=6, tolerance=0).set_callbacks(monitor)
    make_pipeline(StandardScaler(), classifier).fit(X, LABELS)
    assert len(monitor.get_logs().data) == 7
