from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, r2_score, roc_auc_score, root_mean_squared_error

from backprop import model as model_module
from backprop.coding.coding import Coding
from backprop.coding.columns import Array
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.forward import BLOCK_ROWS
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters, predict
from tests.support.columns import as_column, inputs_scaled

PLAIN = inputs_scaled(tuple(map(CodedColumn, "abc")), Scaler.identity(3))
MIXED = inputs_scaled((CodedColumn("size"), CodedColumn("colour", ("blue", "red"))), Scaler((10.0,), (20.0,)))
RNG = np.random.default_rng(3)
X = RNG.normal(size=(90, 3))
BATCH: dict[str, Array] = {
    "size": RNG.uniform(10, 30, 40),
    "colour": as_column(RNG.choice(["blue", "red"], 40).tolist()),
}
CODINGS: list[TargetCoding] = [
    ClassCoding("y", ("no", "yes"), (-1.0, 1.0)),
    ClassCoding("y", (1, 2, 3), (0.0, 1.0)),
    NumberCoding(("p", "q"), Scaler((0.1, 0.2), (1e-7, 1e7))),
    Reconstruction(MIXED),
]


def a_model(
    targets: TargetCoding, inputs: InputCoding = MIXED, activation: str = "sigmoid", dtype: str = "float64"
) -> TrainedModel:
    network = Network(inputs.width, (Layer(4, "tanh"), Layer(targets.width, activation)))
    return TrainedModel(initial_parameters(network, epsilon=2.0, seed=1, dtype=dtype), Coding(inputs, targets))


def assert_same_numbers(one: object, other: object) -> None:
    """Plain JSON values that are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert set(one) == set(other)
        for key, value in one.items():
            assert_same_numbers(value, other[key])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for ours, theirs in zip(one, other, strict=True):
            assert_same_numbers(ours, theirs)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12)
    else:
        assert one == other


class TestPredictions:
    def test_few_rows_take_as_long_as_a_block_of_them(self) -> None:
        model = a_model(CODINGS[0])
        weights = model.parameters.vector.size
        assert [model.multiplications(rows) for rows in (1, BLOCK_ROWS, 100)] == [
            BLOCK_ROWS * weights,
            BLOCK_ROWS * weights,
            100 * weights,
        ]

    @pytest.mark.parametrize("targets", CODINGS)
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("rows", [1, 7, 40, 1000])
    def test_blocks_cover_the_rows_in_order(
        self, targets: TargetCoding, dtype: str, rows: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(model_module, "PREDICTED_BYTES", 8 * 3 * rows)
        model = a_model(targets, dtype=dtype)
        blocks = list(model.predict({**BATCH, "ignored": np.zeros(40)}))
        assert [block.first_row for block in blocks] == list(range(0, 40, rows))
        outputs = np.concatenate([block.outputs for block in blocks])
        coded = MIXED.encode(BATCH, dtype)
        np.testing.assert_array_equal(outputs, model.forward.outputs(coded))
        np.testing.assert_allclose(
            outputs, predict(model.parameters, coded), rtol=1e-12 if dtype == "float64" else 1e-5
        )
        assert outputs.dtype == dtype
        for name, values in targets.decode(outputs).items():
            assert np.concatenate([block.columns[name] for block in blocks]).tolist() == values.tolist()
        for block in blocks:
            scores = targets.class_scores(block.outputs)
            if scores is None:
                assert block.scores is None
            else:
                assert block.scores is not None
                assert block.scores.classes == scores.classes
                np.testing.assert_array_equal(block.scores.scores, scores.scores)

    def test_no_rows_have_no_blocks(self) -> None:
        assert list(a_model(CODINGS[0]).predict({"size": np.zeros(0), "colour": np.array([], dtype=object)})) == []

    @pytest.mark.parametrize("targets", CODINGS)
    def test_what_overflows_is_not_finite_and_no_warning(self, targets: TargetCoding) -> None:
        inputs = inputs_scaled((CodedColumn("x"), CodedColumn("z")), Scaler((0.0, 0.0), (1e-300, 1.0)))
        network = Network(2, (Layer(targets.width, "linear"),))
        parameters = initial_parameters(network, epsilon=2.0, seed=1, dtype="float64")
        model = TrainedModel(parameters, Coding(inputs, targets))
        (block,) = model.predict({"x": np.array([0.0, 1e300]), "z": np.zeros(2)})
        assert np.isfinite(block.outputs).all(axis=1).tolist() == [True, False]


class TestMetrics:
    @pytest.fixture(autouse=True, params=[None, 8 * 50], ids=["one block", "many blocks"])
    def _blocks(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param is not None:
            monkeypatch.setattr(model_module, "MEASURED_BYTES", request.param)

    @pytest.mark.parametrize("classes", [("no", "yes"), (1, 2, 3)])
    def test_classes(self, classes: tuple[Any, ...]) -> None:
        coding = ClassCoding("y", classes, (0.0, 1.0))
        actual = {"y": np.array([classes[i] for i in RNG.integers(0, len(classes), 90)], dtype=object)}
        model = a_model(coding, PLAIN)
        metrics = model.metrics(X, coding.encode(actual))
        predicted = coding.decode(predict(model.parameters, X))["y"].tolist()
        expected = confusion_matrix(actual["y"].tolist(), predicted, labels=list(classes))
        assert metrics["confusion_matrix"] == {"classes": list(classes), "counts": expected.tolist()}
        assert metrics["accuracy"] == pytest.approx(np.trace(expected) / 90)

    @pytest.mark.parametrize(
        ("activation", "low"), [("softmax", 0.0), ("sigmoid", 0.0), ("tanh", -1.0), ("linear", 0.0)]
    )
    @pytest.mark.parametrize("classes", [("no", "yes"), (1, 2, 3)])
    @pytest.mark.parametrize("weights", [None, RNG.choice([0.0, 1.0, 2.5], 90)])
    def test_scores_of_classes_are_those_that_predictions_give(
        self, classes: tuple[Any, ...], weights: Array | None, activation: str, low: float
    ) -> None:
        coding = ClassCoding.for_output("y", classes, activation)
        assert coding.bounds[0] == low
        actual = np.array([classes[i] for i in RNG.integers(0, len(classes), 90)], dtype=object)
        model = a_model(coding, PLAIN, activation)
        metrics = model.metrics(X, coding.encode({"y": actual}), weights)
        scores = coding.class_scores(predict(model.parameters, X)).scores
        assert metrics["classes"] == list(classes)
        areas = [roc_auc_score(actual == each, scores[:, k], sample_weight=weights) for k, each in enumerate(classes)]
        assert metrics["roc_auc"] == {
            "mean": pytest.approx(np.mean(areas), rel=1e-12),
            "by_class": pytest.approx(areas, rel=1e-12),
        }
        if activation == "softmax" or len(classes) == 2:
            expected = log_loss(actual.tolist(), y_proba=scores, sample_weight=weights, labels=list(classes))
            assert metrics["log_loss"] == pytest.approx(expected, rel=1e-12)
        else:
            assert metrics["log_loss"] is metrics["brier_score"] is None

    @pytest.mark.parametrize("targets", [1, 2, 3, 5])
    def test_numbers_are_measured_in_their_own_units(self, targets: int) -> None:
        names = tuple(f"y_{index}" for index in range(targets))
        coding = NumberCoding(names, Scaler((100.0,) * targets, (50.0,) * targets))
        actual = dict(zip(names, RNG.uniform(100, 150, (targets, 90)), strict=True))
        model = a_model(coding, PLAIN)
        metrics = model.metrics(X, coding.encode(actual))
        predicted = coding.decode(predict(model.parameters, X))
        for name in names:
            assert metrics["rmse"][name] == pytest.approx(root_mean_squared_error(actual[name], predicted[name]))
            assert metrics["r2"][name] == pytest.approx(r2_score(actual[name], predicted[name]))
            errors = np.abs(actual[name] - predicted[name])
            assert metrics["mae"][name] == pytest.approx(errors.mean())
            assert metrics["median_absolute_error"][name] == pytest.approx(np.median(errors))
        assert metrics["r2_mean"] == pytest.approx(np.mean(list(metrics["r2"].values())))

    def test_a_reconstruction_is_measured_column_by_column(self) -> None:
        coded = MIXED.encode(BATCH)
        model = a_model(Reconstruction(MIXED))
        metrics = model.metrics(coded, coded)
        back = MIXED.decode(predict(model.parameters, coded))
        expected = root_mean_squared_error(BATCH["size"], back["size"])
        assert metrics["rmse"] == {"size": pytest.approx(expected)}
        assert metrics["r2"] == {"size": pytest.approx(r2_score(BATCH["size"], back["size"]))}
        right = sum(a == b for a, b in zip(BATCH["colour"], back["colour"], strict=True))
        assert metrics["accuracy"] == {"colour": right / 40}
        assert metrics["mae"] == {"size": pytest.approx(np.abs(BATCH["size"] - back["size"]).mean())}
        assert metrics["r2_mean"] == metrics["r2"]["size"]

    @pytest.mark.parametrize("targets", CODINGS)
    def test_a_row_of_weight_2_counts_as_two_and_one_of_weight_0_as_none(self, targets: TargetCoding) -> None:
        model = a_model(targets)
        times = RNG.integers(0, 3, 40)
        columns = {**BATCH, "p": RNG.normal(size=40), "q": RNG.normal(size=40)}
        if isinstance(targets, ClassCoding):
            columns["y"] = np.array([targets.classes[k] for k in RNG.integers(0, len(targets.classes), 40)], object)
        coded, Y = MIXED.encode(columns), targets.encode(columns)
        weighted = model.metrics(coded, Y, times.astype(float))
        repeated = model.metrics(np.repeat(coded, times, axis=0), np.repeat(Y, times, axis=0))
        assert set(weighted) == set(repeated)
        for name, value in weighted.items():
            assert_same_numbers(value, repeated[name])

    @pytest.mark.parametrize("targets", CODINGS)
    @pytest.mark.parametrize("value", [1e105, 1e300, np.inf])
    def test_a_network_that_overflows_is_no_warning_and_its_metrics_are_plain_json(
        self, targets: TargetCoding, value: float
    ) -> None:
        network = Network(MIXED.width, (Layer(targets.width, "linear"),))
        parameters = initial_parameters(network, epsilon=1e200, seed=1, dtype="float64")
        coded = np.full((20, MIXED.width), value)
        Y = np.tile([[targets.bounds[1]]] if isinstance(targets, ClassCoding) else [[0.5]], (20, targets.width))
        metrics = TrainedModel(parameters, Coding(MIXED, targets)).metrics(coded, Y)
        assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
        if isinstance(targets, NumberCoding):
            assert metrics["rmse"] == {"p": None, "q": None}

    def test_rows_without_weight_say_nothing_of_a_reconstruction(self) -> None:
        coded = MIXED.encode(BATCH)
        metrics = a_model(Reconstruction(MIXED)).metrics(coded, coded, np.zeros(40))
        assert metrics["accuracy"] == {"colour": None}
        assert metrics["rmse"] == metrics["mae"] == metrics["r2"] == {"size": None}
        assert metrics["r2_mean"] is None

    def test_a_confusion_matrix_that_nobody_could_read_is_left_out(self) -> None:
        coding = ClassCoding("y", tuple(range(101)), (0.0, 1.0))
        metrics = a_model(coding, PLAIN).metrics(X, coding.encode({"y": RNG.integers(0, 101, 90)}))
        assert metrics["confusion_matrix"] is None
        assert 0 <= metrics["accuracy"] <= 1


class TestStoredForm:
    @pytest.mark.parametrize("targets", CODINGS)
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_comes_back_with_the_same_bits(self, targets: TargetCoding, dtype: str) -> None:
        model = a_model(targets, dtype=dtype)
        network, coding, weights = model.to_stored()
        back = TrainedModel.from_stored(json.loads(json.dumps(network)), json.loads(json.dumps(coding)), weights)
        assert back.parameters.network == model.parameters.network
        assert back.coding == model.coding
        assert back.parameters.vector.dtype == dtype
        assert back.parameters.vector.tobytes() == model.parameters.vector.tobytes()

    def test_is_what_others_read(self) -> None:
        stored = a_model(CODINGS[2]).to_stored()
        assert stored.network == {
            "sizes": [3, 4, 2],
            "layers": [{"units": 4, "activation": "tanh"}, {"units": 2, "activation": "sigmoid"}],
        }
        assert set(stored.coding) == {"inputs", "targets"}
        shapes = {name: array.shape for name, array in stored.weights.items()}
        assert shapes == {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}

    def test_parts_that_do_not_belong_together_are_refused(self) -> None:
        numbers, classes = (a_model(targets).to_stored() for targets in (CODINGS[2], CODINGS[1]))
        with pytest.raises(ValueError, match="coding does not fit"):
            TrainedModel.from_stored(numbers.network, classes.coding, numbers.weights)
        with pytest.raises(ValueError, match="should be"):
            TrainedModel.from_stored(numbers.network, numbers.coding, classes.weights)
        narrow = a_model(
            NumberCoding(("p", "q"), Scaler.identity(2)), inputs_scaled((CodedColumn("x"),), Scaler.identity(1))
        )
        with pytest.raises(ValueError, match="coding does not fit"):
            TrainedModel(narrow.parameters, a_model(CODINGS[2]).coding)
