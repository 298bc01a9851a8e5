from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import brier_score_loss, f1_score, log_loss, mean_absolute_error, median_absolute_error

from backprop import model as model_module
from backprop.coding.columns import Array
from backprop.coding.inputs import CodedColumn
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction
from backprop.trivial import TrivialModel
from tests.support.columns import as_column, inputs_scaled

RNG = np.random.default_rng(5)
NO_INPUT = np.zeros((200, 1))
WEIGHTS = [None, RNG.choice([0.0, 0.5, 3.0], 200)]


@pytest.fixture(autouse=True, params=[None, 8 * 50], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(model_module, "MEASURED_BYTES", request.param)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("classes", [("no", "yes"), (3, 5, 8, 9), (False, True)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_classes_have_their_shares_as_scores(
    classes: tuple[str, ...], weights: Array | None, activation: str, dtype: str
) -> None:
    coding = ClassCoding.for_output("y", classes, activation)
    training, held_out = (
        RNG.choice(len(classes), 200, p=np.arange(1, len(classes) + 1) / sum(range(len(classes) + 1))) for _ in "ab"
    )
    labels = np.array(classes, dtype=object)
    trivial = TrivialModel.of_training_rows(coding, coding.encode({"y": labels[training]}, dtype), weights)
    metrics = trivial.metrics(coding.encode({"y": labels[held_out]}, dtype), weights)
    theirs = DummyClassifier(strategy="prior").fit(NO_INPUT, training, weights)
    shares, predicted = theirs.predict_proba(NO_INPUT), theirs.predict(NO_INPUT)
    scores = coding.class_scores(trivial.outputs).scores
    np.testing.assert_allclose(scores, shares[:1], rtol=1e-12)
    assert trivial.prediction == classes[predicted[0]]
    assert type(trivial.prediction) is type(classes[0])
    assert metrics["f1"]["mean"] == pytest.approx(
        f1_score(held_out, predicted, average="macro", sample_weight=weights, zero_division=np.nan), rel=1e-12
    )
    assert metrics["roc_auc"]["by_class"] == pytest.approx([0.5] * len(classes))
    assert metrics["matthews_correlation"] == 0
    if activation == "softmax" or len(classes) == 2:
        given_to = {"sample_weight": weights, "labels": range(len(classes))}
        assert metrics["log_loss"] == pytest.approx(log_loss(held_out, y_proba=shares, **given_to), rel=1e-12)
        assert metrics["brier_score"] == pytest.approx(brier_score_loss(held_out, shares, **given_to), rel=1e-12)


def test_of_equally_frequent_classes_the_first_is_predicted() -> None:
    for activation in ("softmax", "sigmoid", "tanh"):
        for classes in (("a", "b"), ("a", "b", "c")):
            coding = ClassCoding.for_output("y", classes, activation)
            Y = coding.encode({"y": as_column(list(classes) * 7)})
            assert TrivialModel.of_training_rows(coding, Y).prediction == "a"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_of_numbers_the_mean_is_predicted(weights: Array | None, dtype: str) -> None:
    coding = NumberCoding(("p", "q"), Scaler((10.0, -3.0), (2.0, 1e5)))
    training, held_out = RNG.normal([12, 5e4], [1, 1e4], (2, 200, 2))
    Y, Y_held = (coding.encode({"p": rows[:, 0], "q": rows[:, 1]}, dtype) for rows in (training, held_out))
    trivial = TrivialModel.of_training_rows(coding, Y, weights)
    actual = coding.scaler.decode(Y_held)
    predicted = DummyRegressor().fit(NO_INPUT, coding.scaler.decode(Y), weights).predict(NO_INPUT)
    metrics = trivial.metrics(Y_held, weights)
    assert trivial.prediction == {"p": pytest.approx(predicted[0, 0]), "q": pytest.approx(predicted[0, 1])}
    for name, theirs in (("mae", mean_absolute_error), ("median_absolute_error", median_absolute_error)):
        expected = theirs(actual, predicted, sample_weight=weights, multioutput="raw_values")
        assert list(metrics[name].values()) == pytest.approx(expected, rel=1e-12)
    assert trivial.metrics(Y, weights)["r2_mean"] == pytest.approx(0, abs=1e-12)
    assert metrics["r2_mean"] < 0


def test_of_a_reconstruction_each_column_has_its_mean_or_its_most_frequent_category() -> None:
    inputs = inputs_scaled((CodedColumn("size"), CodedColumn("colour", ("blue", "red"))), Scaler((10.0,), (20.0,)))
    columns = {"size": RNG.uniform(10, 30, 9), "colour": as_column(["red"] * 5 + ["blue"] * 4)}
    Y = inputs.encode(columns)
    trivial = TrivialModel.of_training_rows(Reconstruction(inputs), Y)
    assert trivial.prediction == {"size": pytest.approx(columns["size"].mean()), "colour": "red"}
    metrics = trivial.metrics(Y)
    assert metrics["accuracy"] == {"colour": 5 / 9}
    assert metrics["rmse"] == {"size": pytest.approx(columns["size"].std())}
    assert metrics["r2"] == {"size": pytest.approx(0, abs=1e-12)}
    assert json.loads(json.dumps(trivial.prediction)) == trivial.prediction
