"""The estimators among scikit-learn's own tools: pipelines, searches, clones, pickles, frames, routing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_client import Backprop
from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

X, CODES = load_iris(return_X_y=True)
NAMES = load_iris().feature_names
SPECIES = load_iris().target_names[CODES]

OF_EACH: list[tuple[Any, tuple[Any, ...]]] = [
    (BackpropClassifier(hidden=4, iterations=8), (X, SPECIES)),
    (BackpropRegressor(hidden=4, iterations=8), (X[:, :3], X[:, 3])),
    (BackpropAutoencoder(2, iterations=8), (X,)),
]
each = pytest.mark.parametrize(("estimator", "data"), OF_EACH)


def test_a_pipeline_is_searched_through() -> None:
    pipeline = make_pipeline(StandardScaler(), BackpropAutoencoder(3), BackpropClassifier())
    grid = {"backpropautoencoder__iterations": [5], "backpropclassifier__hidden": [(), 4, (8, 4), np.array([5])]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, SPECIES)
    assert search.best_score_ > 0.9
    assert set(search.predict(X)) == {"setosa", "versicolor", "virginica"}


def test_fits_in_threads_beside_each_other_have_the_same_bits() -> None:
    classifier = BackpropClassifier(hidden=4, iterations=8)
    with parallel_config("threading"):
        alone, beside = (
            cross_val_predict(classifier, X, SPECIES, cv=3, method="predict_proba", n_jobs=jobs) for jobs in (1, 3)
        )
    assert np.array_equal(alone, beside)


def test_a_search_hears_of_the_iterations_of_each_fit() -> None:
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = BackpropClassifier(hidden=3, iterations=4, tolerance=0).set_callbacks(monitor)
    GridSearchCV(classifier, {"weight_decay": [0.0, 0.1]}, cv=2, refit=False).fit(X, SPECIES)
    assert [row["task_name"] for row in monitor.get_logs().data].count("iteration") == 2 * 2 * 4


@each
def test_a_clone_is_not_fitted_and_becomes_the_same(estimator: Any, data: tuple[Any, ...]) -> None:
    fitted = clone(estimator).fit(*data)
    again = clone(fitted)
    assert not hasattr(again, "coefs_")
    assert again.get_params() == estimator.get_params()
    assert again.fit(*data).loss_curve_ == fitted.loss_curve_


@each
@pytest.mark.parametrize("copied", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_a_pickle_answers_as_what_was_pickled(estimator: Any, data: tuple[Any, ...], copied: Any) -> None:
    fitted = clone(estimator).fit(*data)
    again = copied(fitted)
    assert np.array_equal(again.predict(data[0]), fitted.predict(data[0]))
    assert again.loss_curve_ == fitted.loss_curve_


def test_a_pickle_has_no_key_of_the_service() -> None:
    client = Backprop(api_key="bp_very_secret", base_url="http://127.0.0.1:9")
    estimator = BackpropClassifier(service=client)
    assert clone(estimator).service is client
    assert b"very_secret" not in pickle.dumps(estimator)
    assert "very_secret" not in repr(estimator)
    assert pickle.loads(pickle.dumps(estimator)).service.connection.base_url == "http://127.0.0.1:9"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_give_features_their_names(frame: Any) -> None:
    table = frame({name: X[:, place] for place, name in enumerate(NAMES)})
    classifier = BackpropClassifier(hidden=4, iterations=8).fit(table, SPECIES)
    assert list(classifier.feature_names_in_) == NAMES
    assert np.array_equal(
        classifier.predict(table), BackpropClassifier(hidden=4, iterations=8).fit(X, SPECIES).predict(X)
    )
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(frame({name: X[:, place] for place, name in enumerate(reversed(NAMES))}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        classifier.predict(X)


def test_targets_may_be_series_and_frames() -> None:
    table = pd.DataFrame(X, columns=NAMES, index=np.arange(150) + 7)
    series = pd.Series(SPECIES, table.index, dtype="category", name=NAMES[0])  # a name that an input has, too
    classifier = BackpropClassifier(hidden=4, iterations=8).fit(table, series)
    assert np.array_equal(classifier.classes_, np.unique(SPECIES))
    regressor = BackpropRegressor(hidden=4, iterations=8).fit(table[NAMES[:2]], table[NAMES[2:]])
    assert regressor.predict(table[NAMES[:2]]).shape == (150, 2)
    flat = BackpropRegressor(hidden=4, iterations=8).fit(table[NAMES[:3]], table[NAMES[3]])
    assert flat.predict(table[NAMES[:3]]).shape == (150,)
    column = BackpropRegressor(hidden=4, iterations=8).fit(table[NAMES[:3]], table[NAMES[3:]])
    assert np.array_equal(column.predict(table[NAMES[:3]])[:, 0], flat.predict(table[NAMES[:3]]))


@pytest.mark.parametrize(
    "labels",
    [
        CODES - 1,
        CODES.astype(np.uint8),
        CODES + 1.0,
        CODES > 0,
        SPECIES.astype(object),
        np.array(["NA", " b", "é"])[CODES],
        CODES + 2**60,
    ],
    ids=["below zero", "bytes", "floats", "booleans", "objects", "strange texts", "large"],
)
def test_classes_come_back_as_they_were(labels: Any) -> None:
    classifier = BackpropClassifier(hidden=4).fit(X, labels)
    assert classifier.score(X, labels) > 0.95
    assert classifier.predict(X).dtype == labels.dtype
    probabilities = classifier.predict_proba(X)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(classifier.classes_[probabilities.argmax(axis=1)], classifier.predict(X))
    assert np.array_equal(classifier.predict_log_proba(X), np.log(probabilities))


def test_probabilities_of_outputs_that_are_none_have_the_sum_one() -> None:
    classifier = BackpropClassifier(output="sigmoid", cost="cross_entropy", hidden=4, iterations=20).fit(X, SPECIES)
    assert np.allclose(classifier.predict_proba(X).sum(axis=1), 1)


def test_weights_are_routed() -> None:
    with config_context(enable_metadata_routing=True):
        classifier = BackpropClassifier(hidden=4, iterations=8).set_fit_request(sample_weight=True)
        classifier.set_score_request(sample_weight=False)
        weights = np.linspace(0.1, 1, 150)
        scores = cross_val_score(classifier, X, SPECIES, cv=3, params={"sample_weight": weights})
        assert len(scores) == 3
        assert not np.array_equal(scores, cross_val_score(classifier, X, SPECIES, cv=3))


def test_it_is_taken_apart_and_put_together_by_meta_estimators() -> None:
    several = MultiOutputClassifier(BackpropClassifier(hidden=4)).fit(X, np.column_stack([CODES, CODES > 0]))
    assert several.score(X, np.column_stack([CODES, CODES > 0])) > 0.95
    logarithms = TransformedTargetRegressor(BackpropRegressor(hidden=4), func=np.log1p, inverse_func=np.expm1)
    assert logarithms.fit(X[:, :3], X[:, 3]).score(X[:, :3], X[:, 3]) > 0.9
