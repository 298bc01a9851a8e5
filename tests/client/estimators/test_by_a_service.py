"""Trained by a service that is served, an estimator is the same to the last bit as in this process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from backprop_client import Backprop, JobFailed, NotFound
from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor
from backprop_client.handles.job import Job
from tests.client.estimators.test_callbacks import Listener
from tests.support.serving import Served, serving
from tests.support.waiting import wait_for

RNG = np.random.default_rng(6)
X = np.column_stack([RNG.normal(size=70), RNG.integers(0, 3, 70), RNG.normal(size=70) * 1e6, np.ones(70)])
NEW = np.column_stack([RNG.normal(size=9), RNG.integers(0, 5, 9), RNG.normal(size=9) * 1e6, RNG.normal(size=9)])
LABELS = np.where(X[:, 0] * X[:, 2] > 0, "yes", "no")
Y = np.column_stack([X[:, 0] ** 2, np.round(X[:, 1] - X[:, 0])])
WEIGHTS = RNG.integers(0, 3, 70) / 2

WAYS: list[tuple[Any, Any, dict[str, Any]]] = [
    (BackpropClassifier, LABELS, {}),
    (BackpropClassifier, LABELS == "yes", {"holdout": 0.2, "patience": 3, "class_weight": {True: 3.0}}),
    (BackpropClassifier, np.digitize(Y[:, 0], [0.2, 1.0]), {"batch_size": 16, "epochs": 4, "class_weight": "balanced"}),
    (BackpropClassifier, np.where(LABELS == "no", "NA", " "), {"hidden": (), "output": "sigmoid", "iterations": 9}),
    (BackpropRegressor, Y, {"hidden": (5, 4), "holdout": 0.25, "held_out_every": 4}),
    (BackpropRegressor, Y[:, 1], {"optimizer": "momentum", "iterations": 30, "dtype": "float32", "scaling": "min_max"}),
    (BackpropAutoencoder, None, {"hidden": 2, "holdout": 0.1}),
    (BackpropAutoencoder, None, {"output": "sigmoid", "activation": "sigmoid", "sparsity_weight": 0.1}),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`backprop serve`, with a worker."""
    with serving(tmp_path_factory.mktemp("served")) as stack:
        yield stack


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Backprop]:
    """A client of it."""
    with Backprop(base_url=served.url) as client:
        yield client


@pytest.fixture(scope="module")
def trained(client: Backprop) -> Any:
    """What the service has trained, for whoever leaves it as it is."""
    return BackpropRegressor(hidden=3, iterations=6, service=client).fit(X, Y)


def assert_the_same(one: Any, other: Any) -> None:
    """Both have learned the same, to the last bit."""
    for ours, theirs in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    for name in (
        *("loss_curve_", "validation_loss_curve_", "validation_iterations_", "best_iteration_", "stopped_by_"),
        *("activations_", "n_iter_", "loss_", "best_validation_loss_", "seed_", "n_outputs_", "n_layers_"),
    ):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("predict", "predict_proba", "transform"):
        if hasattr(one, name):
            assert np.array_equal(getattr(one, name)(NEW), getattr(other, name)(NEW)), name


@pytest.mark.parametrize(("kind", "y", "how"), WAYS, ids=[f"{kind.__name__} {how}" for kind, _, how in WAYS])
def test_both_have_the_same_bits(kind: Any, y: Any, how: dict[str, Any], client: Backprop) -> None:
    weights = WEIGHTS if "holdout" in how else None
    here = kind(**how).fit(X, y, sample_weight=weights)
    there = kind(**how, service=client).fit(X, y, sample_weight=weights)
    assert_the_same(here, there)
    if kind is BackpropAutoencoder:
        code = here.transform(NEW)
        assert np.array_equal(here.inverse_transform(code), there.inverse_transform(code))
    assert client.jobs.get(there.job_id_).name == kind.__name__
    assert client.models.get(there.model_id_).job_id == there.job_id_
    assert client.datasets.get(there.dataset_id_).id == there.dataset_id_
    assert not hasattr(here, "job_id_")


def test_frames_tell_the_service_their_names(client: Backprop, served: Served) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "target", "weight"])
    y = pd.Series(Y[:, 0], name="price")
    here = BackpropRegressor(hidden=3, iterations=5).fit(frame, y, sample_weight=WEIGHTS)
    there = BackpropRegressor(hidden=3, iterations=5, service=served.url).fit(frame, y, sample_weight=WEIGHTS)
    assert here.loss_curve_ == there.loss_curve_
    assert np.array_equal(here.predict(frame), there.predict(frame))
    job = client.jobs.get(there.job_id_)
    assert [each.name for each in job.inputs or ()] == ["a", "b", "target", "weight"]
    assert [each.name for each in job.targets or ()] == ["price"]
    assert job.weights == "weight_"


def test_a_pickle_goes_on_answering_from_the_service(trained: Any, client: Backprop) -> None:
    again = pickle.loads(pickle.dumps(trained))
    assert np.array_equal(again.predict(NEW), trained.predict(NEW))
    again.service.close()
    assert clone(trained).service is client


def test_warm_starts_go_on_there_and_come_back(client: Backprop) -> None:
    how: dict[str, Any] = {"hidden": 3, "optimizer": "gradient_descent", "iterations": 6, "warm_start": True}
    here, there = BackpropRegressor(**how).fit(X, Y), BackpropRegressor(**how, service=client).fit(X, Y)
    first = there.model_id_
    assert_the_same(here.fit(X, Y), there.fit(X, Y))
    assert client.models.get(there.model_id_).from_model_id == first
    assert_the_same(here.fit(X, Y), there.set_params(service=None).fit(X, Y))
    with pytest.raises(ValueError, match="the last fit was here"):
        there.set_params(service=client).fit(X, Y)


def test_what_a_service_has_trained_goes_on_here_bit_by_bit(trained: Any) -> None:
    here = BackpropRegressor(hidden=3, iterations=6).fit(X, Y)
    there = copy.copy(trained).set_params(service=None)
    for each in (here, there):
        each.set_params(iterations=None, batch_size=8).partial_fit(X, Y)
    assert_the_same(here, there)


def test_a_search_is_carried_out_by_the_service(client: Backprop) -> None:
    here, there = (
        GridSearchCV(BackpropClassifier(iterations=4, service=service), {"hidden": [3]}, cv=2, refit=False)
        for service in (None, client)
    )
    scores = [search.fit(X, LABELS).cv_results_["mean_test_score"] for search in (here, there)]
    assert np.array_equal(*scores)


def test_callbacks_are_told_of_each_iteration(client: Backprop) -> None:
    listener = Listener()
    there = BackpropClassifier(hidden=3, iterations=5, tolerance=0, service=client).set_callbacks(listener)
    there.fit(X, LABELS)
    assert listener.steps == [
        "setup of 5",
        "begin fit",
        *(["begin iteration", "end iteration"] * 5),
        "end fit",
        "teardown",
    ]
    assert len(listener.models) == 1  # of the end; the service tells of no model before
    assert np.array_equal(listener.models[0].predict_proba(NEW), there.predict_proba(NEW))


def test_callbacks_are_told_of_each_epoch(client: Backprop) -> None:
    listener = Listener()
    BackpropClassifier(batch_size=16, epochs=3, holdout=0.2, service=client).set_callbacks(listener).fit(X, LABELS)
    assert listener.steps[0] == "setup of 3"
    assert listener.steps.count("end epoch") == 3


class Stopping(Listener):
    """Stops a training at the first iteration."""

    def on_fit_task_end(self, estimator: Any, context: Any, **told: Any) -> bool:
        return bool(context.task_name == "iteration")


def test_a_callback_can_stop(client: Backprop) -> None:
    how: dict[str, Any] = {"hidden": 3, "optimizer": "adam", "learning_rate": 1e-3}
    stopped = BackpropClassifier(**how, iterations=10_000_000, service=client).set_callbacks(Stopping())
    stopped.fit(X, LABELS)
    assert stopped.stopped_by_ == "callback"
    assert 1 <= stopped.n_iter_ < 10_000_000
    alone = BackpropClassifier(**how, iterations=stopped.n_iter_).fit(X, LABELS)
    assert stopped.loss_curve_ == alone.loss_curve_
    assert np.array_equal(stopped.predict_proba(NEW), alone.predict_proba(NEW))


def test_a_callback_that_stops_what_has_ended_stops_nothing(client: Backprop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is faster than those it tells, so that a training may have ended before it can be cancelled."""
    cancel = Job.cancel

    def at_the_end(job: Job) -> Job:
        wait_for("the end", lambda: job.refresh().status == "succeeded")
        return cancel(job)

    monkeypatch.setattr(Job, "cancel", at_the_end)
    fitted = BackpropClassifier(hidden=3, iterations=5, tolerance=0, service=client).set_callbacks(Stopping())
    fitted.fit(X, LABELS)
    assert fitted.stopped_by_ is None
    assert fitted.n_iter_ == 5


def test_a_training_that_nobody_waits_for_any_more_is_cancelled(client: Backprop) -> None:
    class Failing(Listener):
        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            if context.task_name == "iteration":
                raise KeyboardInterrupt

    endless = BackpropClassifier(hidden=3, optimizer="adam", iterations=10_000_000, service=client)
    with pytest.raises(KeyboardInterrupt):
        endless.set_callbacks(Failing()).fit(X, LABELS)
    newest = client.jobs.list(limit=1).data[0]
    wait_for("its end", lambda: client.jobs.get(newest.id).status == "cancelled")
    assert newest.name == "BackpropClassifier"


def test_what_the_service_refuses_and_what_fails_there_is_said(client: Backprop) -> None:
    with pytest.raises(JobFailed, match="finite number"):
        BackpropRegressor(optimizer="gradient_descent", learning_rate=1e9, activation="relu", service=client).fit(X, Y)
    fitted = BackpropRegressor(hidden=3, iterations=3, service=client).fit(X, Y)
    client.models.delete(fitted.model_id_)
    with pytest.raises(NotFound):
        fitted.predict(NEW)
