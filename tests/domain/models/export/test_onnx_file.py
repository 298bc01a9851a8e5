"""ONNX Runtime answers every row with a model's file as the service does with the model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import load_model_from_string

from backprop.coding.coding import Coding
from backprop.coding.inputs import InputCoding
from backprop.coding.targets import ClassCoding
from backprop.model import PredictedRows, TrainedModel
from domain.models.export import onnx_file as making
from domain.models.export.agreement import check_agreement
from domain.models.export.graph import layers
from domain.models.export.onnx_file import onnx_file, onnx_model
from domain.models.export.rows_to_compare import made_up_rows
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from infra.errors import Conflict, TooLarge
from tests.support.exported import COLUMNS, INPUTS, NUMBERS_ONLY, OnnxModel, model_of, targets_of

Array = NDArray[Any]
DTYPES: dict[str, type[np.float32] | type[np.float64]] = {"float32": np.float32, "float64": np.float64}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

KINDS = [(kind, output) for kind, (_, outputs) in targets_of(INPUTS).items() for output in outputs]
NUMBERS = st.floats(-100, 100) | st.integers(-50, 50)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "age": st.none() | NUMBERS,
    "label": st.none() | st.sampled_from(["blue", "ein Öl", "red", "Red", "green", "?"]),
    "day": st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda day: day.isoformat() + "Z"),  # noqa: DTZ001
    "a/b~c": st.none() | NUMBERS,
    "member": st.booleans(),
    "Gemm_1": st.none() | st.booleans(),
    "empty": st.sampled_from(["", "n/a", "never seen"]),
    "at": st.none() | st.times().map(lambda time: time.isoformat()),
    "same": st.none() | st.just(5.0) | NUMBERS,
}
ROWS = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=6)


@cache
def case(kind: str, output: str, dtype: str) -> tuple[TrainedModel, OnnxModel]:
    targets, _ = targets_of(INPUTS)[kind]
    trained = model_of(INPUTS, targets, output, ("tanh", "sigmoid", "relu", "linear"), DTYPES[dtype])
    return trained, OnnxModel(onnx_file(trained, {}, [made_up_rows(INPUTS, 50)]))


def with_column(name: str, **changes: Any) -> InputCoding:  # noqa: ANN401
    columns = (replace(column, **changes) if column.name == name else column for column in COLUMNS)
    return replace(INPUTS, coded_columns=tuple(columns))


FAULTS = {
    "another mean": replace(INPUTS, means=(42.0, *INPUTS.means[1:])),
    "another offset": replace(INPUTS, scaler=replace(INPUTS.scaler, offset=(41.0, *INPUTS.scaler.offset[1:]))),
    "categories in another order": with_column("label", categories=("ein Öl", "blue", "red")),
    "periods in another order": with_column("day", periods=("week", "year", "day")),
    "no constants": replace(INPUTS, constant_units=()),
}
"""What could be done wrong with the inputs."""


def ours(trained: TrainedModel, rows: list[dict[str, Any]]) -> PredictedRows:
    """What the service's own reading and predicting make of rows as clients send them."""
    targets = trained.coding.targets.columns
    predictor = Predictor(trained, RowReader(trained.coding.inputs, targets, (), None))
    (block,) = predictor.predict(rows, "as_missing").blocks
    return block


def columns_of(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The same rows for ONNX Runtime, after what docs/exports.md says of each type."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if "day" in columns:
        columns["day"] = [None if text is None else seconds(datetime.fromisoformat(text)) for text in columns["day"]]
        columns["at"] = [
            None if text is None else seconds(datetime.fromisoformat(f"1970-01-01T{text}+00:00"))
            for text in columns["at"]
        ]
    return columns


def seconds(moment: datetime) -> float:
    return (moment - EPOCH) / timedelta(seconds=1)


def assert_same(trained: TrainedModel, expected: PredictedRows, answers: dict[str, Array]) -> None:
    tolerance = 2e-4 if trained.parameters.vector.dtype == np.float32 else 1e-9
    targets = trained.coding.targets
    if isinstance(targets, ClassCoding):
        label, scores = answers.values()
        assert expected.scores is not None
        np.testing.assert_allclose(scores, expected.scores.scores, rtol=0, atol=tolerance)
        (own,) = expected.columns.values()
        best = np.sort(expected.scores.scores, axis=1)
        clear = best[:, -1] - best[:, -2] > tolerance
        assert label[clear].tolist() == own[clear].tolist()
        assert {type(each) for each in label.tolist()} == {type(targets.classes[0])}
        return
    for own, answer in zip(expected.columns.values(), answers.values(), strict=True):
        if own.dtype == np.float64:
            np.testing.assert_allclose(answer, own, rtol=tolerance, atol=tolerance * 1e9 if own.max() > 1e8 else 1e-2)
        elif answer.dtype == np.float64:
            assert [None if each != each else bool(each) for each in answer.tolist()] == own.tolist()
        else:
            assert [None if each == "" and None in own else each for each in answer.tolist()] == own.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "output"), KINDS)
@given(rows=ROWS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_answered_as_the_service_answers_it(
    kind: str, output: str, dtype: str, rows: list[dict[str, Any]]
) -> None:
    trained, exported = case(kind, output, dtype)
    assert_same(trained, ours(trained, rows), exported.answers(columns_of(rows)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", [(), ("tanh",), ("sigmoid",), ("relu",), ("linear",)])
def test_each_activation_alone_and_no_hidden_layer(hidden: tuple[str, ...], dtype: str) -> None:
    targets, _ = targets_of(NUMBERS_ONLY)["numbers"]
    trained = model_of(NUMBERS_ONLY, targets, "linear", hidden, DTYPES[dtype])
    rows = [{"x": float(x), "y": float(y)} for x, y in np.random.default_rng(1).normal(size=(40, 2))]
    exported = OnnxModel(onnx_file(trained, {}, []))
    assert_same(trained, ours(trained, rows), exported.answers(columns_of(rows)))


@pytest.mark.parametrize(("kind", "output"), [(kind, output) for kind, output in KINDS if output in ("linear", "tanh")])
def test_the_file_is_valid_and_says_what_it_is(kind: str, output: str) -> None:
    targets, _ = targets_of(INPUTS)[kind]
    content = onnx_file(model_of(INPUTS, targets, output), {"model_id": "mdl_1", "inputs": '["é"]'}, [])
    model = load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, [(each.domain, each.version) for each in model.opset_import]) == (10, [("", 21)])
    assert {each.key: each.value for each in model.metadata_props} == {"model_id": "mdl_1", "inputs": '["é"]'}
    exported = OnnxModel(content)
    assert exported.inputs == {
        "age": "tensor(double)",
        "label": "tensor(string)",
        "day": "tensor(double)",
        "a/b~c": "tensor(double)",
        "member": "tensor(bool)",
        "Gemm_1": "tensor(double)",
        "empty": "tensor(string)",
        "at": "tensor(double)",
        "same": "tensor(double)",
    }
    if kind == "numbers":
        assert list(exported.outputs) == ["price", "scores"]
    elif kind == "reconstruction":
        assert list(exported.outputs) == [f"predicted_{column.name}" for column in COLUMNS]
    else:
        assert list(exported.outputs) == ["predicted_label", "scores"]  # there is an input of that name


def test_classes_of_a_model_without_such_columns_come_as_label_and_scores() -> None:
    targets, _ = targets_of(NUMBERS_ONLY)["integers"]
    exported = OnnxModel(onnx_file(model_of(NUMBERS_ONLY, targets, "softmax"), {}, []))
    assert exported.outputs == {"label": "tensor(int64)", "scores": "tensor(double)"}
    answers = exported.answers({"x": [1.0, 2.0], "y": [0.0, None]})
    assert (answers["label"].shape, answers["scores"].shape) == ((2,), (2, 3))


@example(text="")
@given(text=st.text())
@settings(max_examples=30, deadline=None)
def test_whatever_is_no_category_counts_as_missing(text: str) -> None:
    _, exported = case("integers", "softmax", "float64")
    row = columns_of([plain_row()])
    missing = exported.answers({**row, "label": [None]})["scores"]
    if "\0" not in text:  # which ends a string of ONNX Runtime's
        known = text in ("blue", "ein Öl", "red")
        assert (exported.answers({**row, "label": [text]})["scores"] == missing).all() == (not known)


def plain_row() -> dict[str, Any]:
    return {
        "age": 31,
        "label": "red",
        "day": "2024-02-29T12:00:00Z",
        "a/b~c": -0.5,
        "member": True,
        "Gemm_1": False,
        "empty": "n/a",
        "at": "12:30:00",
        "same": 5.0,
    }


class TestRowsWithoutAnAnswer:
    """Of rows that the service refuses, the file says NaN."""

    @pytest.mark.parametrize("column", ["age", "label", "day", "empty"])
    def test_a_value_is_missing_where_none_may_be(self, column: str) -> None:
        inputs = replace(INPUTS, missing="refuse")
        targets, _ = targets_of(inputs)["integers"]
        trained = model_of(inputs, targets, "softmax", ("relu",))
        exported = OnnxModel(onnx_file(trained, {}, [made_up_rows(inputs, 50)]))
        rows = columns_of([plain_row(), plain_row()])
        scores = exported.answers({**rows, column: [rows[column][0], None if column != "empty" else "?"]})["scores"]
        np.testing.assert_allclose(scores[0], ours(trained, [plain_row()]).scores.scores[0], atol=1e-9)  # type: ignore[union-attr]
        assert np.isnan(scores[1]).all()

    @pytest.mark.parametrize("outside", [1.7e18, -1e12])
    def test_a_moment_is_outside_of_the_calendar_such_as_one_in_nanoseconds(self, outside: float) -> None:
        _, exported = case("numbers", "linear", "float64")
        rows = columns_of([plain_row(), plain_row()])
        price = exported.answers({**rows, "day": [rows["day"][0], outside]})["price"]
        assert np.isnan(price).tolist() == [False, True]

    def test_the_network_overflows(self) -> None:
        targets, _ = targets_of(NUMBERS_ONLY)["integers"]
        trained = model_of(NUMBERS_ONLY, targets, "linear", ("linear",), np.float32)
        exported = OnnxModel(onnx_file(trained, {}, []))
        assert np.isnan(exported.answers({"x": [1e300], "y": [0.0]})["scores"]).all()


class TestRefusals:
    """A file that would answer otherwise is kept back."""

    def test_another_activation_is_noticed_and_told_with_the_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(layers.ACTIVATIONS, "tanh", "Sigmoid")
        targets, _ = targets_of(INPUTS)["numbers"]
        with pytest.raises(Conflict, match=r"'price' differs by [\d.]+ of its scale in row \d+") as refused:
            onnx_file(model_of(INPUTS, targets, "linear"), {}, [made_up_rows(INPUTS, 20)])
        assert refused.value.code == "onnx_differs"

    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("kind", ["numbers", "reconstruction", "integers"])
    def test_whatever_else_goes_wrong_on_the_way_is_noticed(self, kind: str, fault: str) -> None:
        targets, _ = targets_of(INPUTS)[kind]
        trained = model_of(INPUTS, targets, "linear")
        wrong = TrainedModel(trained.parameters, Coding(FAULTS[fault], trained.coding.targets))
        content = onnx_model(wrong, {}).SerializeToString()
        with pytest.raises(Conflict, match="differs by"):
            check_agreement(content, trained, [made_up_rows(INPUTS, 64)])

    def test_swapped_answers_are_noticed(self) -> None:
        targets, _ = targets_of(INPUTS)["integers"]
        assert isinstance(targets, ClassCoding)
        trained = model_of(INPUTS, targets, "softmax")
        swapped = replace(targets, classes=(3, 7, 5))
        content = onnx_model(TrainedModel(trained.parameters, Coding(INPUTS, swapped)), {}).SerializeToString()
        with pytest.raises(Conflict, match="'predicted_label' differs by"):
            check_agreement(content, trained, [made_up_rows(INPUTS, 64)])

    def test_a_file_that_does_not_run_is_told_as_one(self) -> None:
        targets, _ = targets_of(INPUTS)["integers"]
        with pytest.raises(Conflict, match="does not run the file") as refused:
            check_agreement(b"no file", model_of(INPUTS, targets, "softmax"), [])
        assert refused.value.code == "onnx_differs"

    def test_rows_for_which_the_network_overflows_are_not_compared(self) -> None:
        targets, _ = targets_of(NUMBERS_ONLY)["integers"]
        trained = model_of(NUMBERS_ONLY, targets, "linear", ("linear",), np.float32)
        onnx_file(trained, {}, [{"x": np.array([1e300, 1.0]), "y": np.array([0.0, 1.0])}])

    def test_rows_that_no_input_can_hold_are_not_compared(self) -> None:
        targets, _ = targets_of(INPUTS)["integers"]
        rows = made_up_rows(INPUTS, 20)
        rows["member"] = np.array([None, *rows["member"][1:]], dtype=object)
        onnx_file(model_of(INPUTS, targets, "softmax"), {}, [rows])

    def test_more_weights_than_the_format_has_room_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making, "MOST_BYTES", 100)
        targets, _ = targets_of(NUMBERS_ONLY)["integers"]
        with pytest.raises(TooLarge) as refused:
            onnx_file(model_of(NUMBERS_ONLY, targets, "softmax"), {}, [])
        assert refused.value.code == "export_too_large"
