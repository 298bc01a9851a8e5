from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop import model as model_module
from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters, predict
from domain.models import prediction
from domain.models.prediction import REPORTED_PROBLEMS, Predictor
from infra.errors import InvalidRequest, TooLarge

INPUTS = InputCoding(
    (
        CodedColumn("age"),
        CodedColumn("colour", ("blue", "red")),
        CodedColumn("a/b~c"),
        CodedColumn("member", (False, True)),
    ),
    Scaler((40.0, 0.0), (10.0, 2.0)),
)
ROW = {"age": 31, "colour": "red", "a/b~c": -0.5, "member": True}
TARGETS: dict[str, TargetCoding] = {
    "two classes": ClassCoding("grade", ("fail", "pass"), (-1.0, 1.0)),
    "integer classes": ClassCoding("grade", (3, 5, 7), (0.0, 1.0)),
    "numbers": NumberCoding(("price", "weight"), Scaler((100.0, -5.0), (50.0, 1.0))),
    "reconstruction": Reconstruction(INPUTS),
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(["red", "blue"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


def predictor(
    coding: TargetCoding | None = None,
    activation: str = "sigmoid",
    inputs: InputCoding = INPUTS,
    hidden: str = "tanh",
) -> Predictor:
    targets = coding or TARGETS["numbers"]
    network = Network(inputs.width, (Layer(4, hidden), Layer(targets.width, activation)))
    parameters = initial_parameters(network, epsilon=1.0, seed=5, dtype=np.float64)
    return Predictor(TrainedModel(parameters, Coding(inputs, targets)))


def refusal(rows: list[Any], coding: TargetCoding | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        predictor(coding).predict(rows)
    return refused.value


class TestAnswers:
    @pytest.mark.parametrize("name", TARGETS)
    def test_objects_and_arrays_get_the_same_plain_json(self, name: str) -> None:
        predicting = predictor(TARGETS[name])
        rows: list[Any] = [ROW, list(ROW.values()), dict(reversed(ROW.items()))]
        answers = predicting.predict(rows)
        assert answers[0] == answers[1] == answers[2]
        assert answers == predicting.predict([ROW] * 3)
        assert json.loads(json.dumps(answers)) == answers
        assert predicting.columns == tuple(ROW)

    def test_a_class_comes_with_the_scores_of_all(self) -> None:
        coding = TARGETS["integer classes"]
        assert isinstance(coding, ClassCoding)
        predicting = predictor(coding)
        (answer,) = predicting.predict([ROW])
        scores = {each["class"]: each["score"] for each in answer["scores"]}
        assert list(scores) == [3, 5, 7]
        assert answer["prediction"] == max(scores, key=lambda label: scores[label])
        assert type(answer["prediction"]) is int
        X = INPUTS.encode({key: np.array([value], dtype=object) for key, value in ROW.items()})
        np.testing.assert_allclose(list(scores.values()), predict(predicting.model.parameters, X)[0], rtol=1e-14)

    def test_numbers_come_in_their_own_units(self) -> None:
        predicting = predictor()
        (answer,) = predicting.predict([ROW])
        X = INPUTS.encode({key: np.array([value], dtype=object) for key, value in ROW.items()})
        outputs = predict(predicting.model.parameters, X)[0]
        assert answer["prediction"] == pytest.approx({"price": 100 + 50 * outputs[0], "weight": -5 + outputs[1]})

    def test_a_reconstruction_has_the_inputs_columns(self) -> None:
        (answer,) = predictor(TARGETS["reconstruction"]).predict([ROW])
        assert list(answer["prediction"]) == list(ROW)
        assert answer["prediction"]["colour"] in ("blue", "red")
        assert type(answer["prediction"]["member"]) is bool

    def test_a_target_column_may_be_there_and_is_not_looked_at(self) -> None:
        predicting = predictor()
        assert predicting.predict([{**ROW, "price": "unknown", "weight": None}]) == predicting.predict([ROW])

    def test_no_rows_give_no_answers(self) -> None:
        assert predictor().predict([]) == []

    def test_blocks_of_rows_are_answered_in_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [{**ROW, "age": age} for age in range(20, 60)]
        whole = predictor().predict(rows)
        monkeypatch.setattr(model_module, "PREDICTED_BYTES", 8 * 7 * 3)
        pieces = predictor().predict(rows)
        for one, other in zip(whole, pieces, strict=True):
            assert one["prediction"] == pytest.approx(other["prediction"], rel=1e-12)


class TestRefusals:
    @pytest.mark.parametrize(
        ("column", "value", "says"),
        [
            ("age", None, "missing"),
            ("age", "31", "'31' is not a number"),
            ("age", True, "True is not a number"),
            ("age", float("nan"), "not a finite number"),
            ("age", float("-inf"), "not a finite number"),
            ("age", 10**400, "too large"),
            ("age", [31], "list is not a number"),
            ("age", {}, "dict is not a number"),
            ("colour", "mauve", "'mauve' is not one of the values seen in training: 'blue', 'red'"),
            ("colour", None, "missing"),
            ("colour", 1, "1 is not one of"),
            ("colour", ["red"], "list is not one of"),
            ("colour", "\ud800", "not one of"),
            ("colour", "x" * 10_000, "…"),
            ("member", 1, "1 is not one of"),
            ("member", "true", "'true' is not one of"),
        ],
    )
    def test_a_bad_value_is_named_by_row_and_column(self, column: str, value: Any, says: str) -> None:  # noqa: ANN401
        bad = {**ROW, column: value}
        error = refusal([ROW, ROW, bad])
        assert error.code == "invalid_rows"
        assert [field.path for field in error.fields] == [f"/rows/2/{column}"]
        assert says in error.message
        assert f"Row 2, column '{column}'" in error.message
        assert len(error.message) < 300
        error.message.encode()
        position = list(ROW).index(column)
        assert [field.path for field in refusal([ROW, list(bad.values())]).fields] == [f"/rows/1/{position}"]
        assert [f.path for f in refusal([list(bad.values())]).fields] == [f"/rows/0/{position}"]

    def test_a_missing_column(self) -> None:
        error = refusal([ROW, {key: value for key, value in ROW.items() if key != "a/b~c"}])
        assert [field.path for field in error.fields] == ["/rows/1/a~1b~0c"]

    @pytest.mark.parametrize("name", ["shoe", "", "\ud800", "Age"])
    def test_an_unknown_column(self, name: str) -> None:
        error = refusal([{**ROW, name: 1}])
        assert len(error.fields) == 1
        assert error.fields[0].path.startswith("/rows/0/")
        (error.message + error.fields[0].path).encode()

    @pytest.mark.parametrize("row", [[], [1, "red", 0.5], [1, "red", 0.5, True, 9]])
    def test_a_wrong_width(self, row: list[Any]) -> None:
        error = refusal([list(ROW.values()), row])
        assert [field.path for field in error.fields] == ["/rows/1"]
        assert f"{len(row)} values" in error.message

    @pytest.mark.parametrize("row", [None, 3, "31,red,0.5,true"])
    def test_a_row_that_is_none(self, row: object) -> None:
        assert [field.path for field in refusal([ROW, row]).fields] == ["/rows/1"]

    def test_many_problems_are_told_in_order_up_to_a_limit(self) -> None:
        rows: list[Any] = [{"age": None, "colour": 1}] * 50
        error = refusal(rows)
        assert len(error.fields) == REPORTED_PROBLEMS
        assert [field.path for field in error.fields[:5]] == [
            "/rows/0/age",
            "/rows/0/colour",
            "/rows/0/a~1b~0c",
            "/rows/0/member",
            "/rows/1/age",
        ]

    @given(
        st.lists(
            st.fixed_dictionaries({}, optional=dict.fromkeys((*ROW, "price", "other"), JSON))
            | st.lists(JSON, max_size=5)
            | JSON,
            max_size=4,
        )
    )
    def test_any_json_is_either_answered_or_refused_with_a_place(self, rows: list[Any]) -> None:
        refused: InvalidRequest | None = None
        answers: list[dict[str, Any]] = []
        try:
            answers = predictor().predict(rows)
        except InvalidRequest as error:
            refused = error
        if refused is None:
            assert len(answers) == len(rows)
        else:
            assert refused.fields
            json.dumps([refused.message, *(field.path for field in refused.fields)], ensure_ascii=False).encode()

    @pytest.mark.parametrize("block_bytes", [2**20, 8 * 2])
    def test_a_network_that_overflows_has_no_answer(self, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model_module, "PREDICTED_BYTES", block_bytes)
        predicting = predictor(TARGETS["numbers"], "linear")
        fine = predicting.predict([{**ROW, "age": 1e300}])
        assert np.isfinite(list(fine[0]["prediction"].values())).all()
        identity = InputCoding((CodedColumn("x"),), Scaler((0.0,), (1e-300,)))
        linear = predictor(NumberCoding(("y",), Scaler((0.0,), (1.0,))), "linear", identity, "linear")
        with pytest.raises(InvalidRequest) as refused:
            linear.predict([*[{"x": 0.0}] * 3, {"x": 1e300}])
        assert refused.value.code == "prediction_not_finite"
        assert [field.path for field in refused.value.fields] == ["/rows/3"]

    def test_an_answer_beyond_all_bounds_is_refused_before_it_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(prediction, "LARGEST_ANSWER", 6)
        with pytest.raises(TooLarge, match="at most 2 rows") as refused:
            predictor(TARGETS["integer classes"]).predict([ROW] * 3)
        assert refused.value.code == "answer_too_large"
