from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, r2_score, root_mean_squared_error

from backprop.network import Layer, Network, Parameters, initial_parameters, predict
from backprop.preprocessing import (
    Array,
    ClassCoding,
    Feature,
    InputCoding,
    NumberCoding,
    Preprocessing,
    Reconstruction,
    Scaler,
    TargetCoding,
)
from worker import evaluation
from worker.evaluation import evaluate
from worker.preparation import TrainingData

INPUTS = InputCoding(tuple(map(Feature, "abc")), Scaler.identity(3))
RNG = np.random.default_rng(3)
X = RNG.normal(size=(90, 3))
X_HELD = RNG.normal(size=(30, 3))


@pytest.fixture(autouse=True, params=[None, 8 * 50], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(evaluation, "BLOCK_BYTES", request.param)


def a_network(outputs: int, activation: str = "sigmoid", inputs: int = 3) -> Parameters:
    network = Network(inputs, (Layer(4, "tanh"), Layer(outputs, activation)))
    return initial_parameters(network, epsilon=2.0, seed=1, dtype=np.float64)


def data_of(coding: TargetCoding, training: dict[str, Array], held_out: dict[str, Array]) -> TrainingData:
    return TrainingData(X, coding.encode(training), X_HELD, coding.encode(held_out), Preprocessing(INPUTS, coding))


@pytest.mark.parametrize("classes", [("no", "yes"), (1, 2, 3)])
def test_classes(classes: tuple[Any, ...]) -> None:
    coding = ClassCoding("y", classes, (0.0, 1.0))
    training, held_out = (
        {"y": np.array([classes[i] for i in RNG.integers(0, len(classes), rows)], dtype=object)} for rows in (90, 30)
    )
    parameters = a_network(coding.width)
    metrics = evaluate(parameters, data_of(coding, training, held_out))
    for part, rows, actual in (("training", X, training), ("held_out", X_HELD, held_out)):
        predicted = coding.decode(predict(parameters, rows))["y"].tolist()
        expected = confusion_matrix(actual["y"].tolist(), predicted, labels=list(classes))
        assert metrics[part]["confusion_matrix"] == {"classes": list(classes), "counts": expected.tolist()}
        assert metrics[part]["accuracy"] == pytest.approx(np.trace(expected) / len(rows))
        assert metrics[part]["rows"] == len(rows)


@pytest.mark.parametrize("targets", [1, 2, 3, 5])
def test_numbers_are_measured_in_their_own_units(targets: int) -> None:
    names = tuple(f"y_{index}" for index in range(targets))
    coding = NumberCoding(names, Scaler((100.0,) * targets, (50.0,) * targets))
    training, held_out = (dict(zip(names, RNG.uniform(100, 150, (targets, rows)), strict=True)) for rows in (90, 30))
    parameters = a_network(targets)
    metrics = evaluate(parameters, data_of(coding, training, held_out))
    for part, rows, actual in (("training", X, training), ("held_out", X_HELD, held_out)):
        predicted = coding.decode(predict(parameters, rows))
        for name in names:
            expected = root_mean_squared_error(actual[name], predicted[name])
            assert metrics[part]["rmse"][name] == pytest.approx(expected)
            assert metrics[part]["r2"][name] == pytest.approx(r2_score(actual[name], predicted[name]))


def test_a_reconstruction_is_measured_column_by_column() -> None:
    inputs = InputCoding((Feature("size"), Feature("colour", ("blue", "red"))), Scaler((10.0,), (20.0,)))
    batch = {
        "size": RNG.uniform(10, 30, 40),
        "colour": np.array(RNG.choice(["blue", "red"], 40).tolist(), dtype=object),
    }
    coded = inputs.encode(batch)
    data = TrainingData(coded, coded, None, None, Preprocessing(inputs, Reconstruction(inputs)))
    parameters = a_network(3, inputs=3)
    metrics = evaluate(parameters, data)
    back = inputs.decode(predict(parameters, coded))
    assert metrics["held_out"] is None
    expected = root_mean_squared_error(batch["size"], back["size"])
    assert metrics["training"]["rmse"] == {"size": pytest.approx(expected)}
    assert metrics["training"]["r2"] == {"size": pytest.approx(r2_score(batch["size"], back["size"]))}
    right = sum(a == b for a, b in zip(batch["colour"], back["colour"], strict=True))
    assert metrics["training"]["accuracy"] == {"colour": right / 40}


def test_a_confusion_matrix_that_nobody_could_read_is_left_out() -> None:
    coding = ClassCoding("y", tuple(range(101)), (0.0, 1.0))
    training, held_out = ({"y": RNG.integers(0, 101, rows)} for rows in (90, 30))
    metrics = evaluate(a_network(101), data_of(coding, training, held_out))
    assert metrics["training"]["confusion_matrix"] is None
    assert 0 <= metrics["training"]["accuracy"] <= 1
