from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import model as model_module
from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters, predict
from backprop_client.wire.resolved_jobs import CellRules
from domain.models import json_rows, prediction
from domain.models.answer_json import answer_json
from domain.models.json_rows import requested_rows
from domain.models.prediction import Predictions, Predictor
from domain.models.row_reading import RowReader
from domain.models.value_reading import REPORTED_PROBLEMS
from infra.errors import InvalidRequest, TooLarge
from tests.support.columns import inputs_scaled

INPUTS = inputs_scaled(
    (
        CodedColumn("age"),
        CodedColumn("colour", ("blue", "red")),
        CodedColumn("a/b~c"),
        CodedColumn("member", (False, True)),
    ),
    Scaler((40.0, 0.0), (10.0, 2.0)),
)
STRICT = replace(INPUTS, missing="refuse")
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
    cells: CellRules | None = None,
    others: Sequence[str] = (),
) -> Predictor:
    targets = coding or TARGETS["numbers"]
    network = Network(inputs.width, (Layer(4, hidden), Layer(targets.width, activation)))
    parameters = initial_parameters(network, epsilon=1.0, seed=5, dtype=np.float64)
    reader = RowReader(inputs, targets.columns, tuple(others), cells)
    return Predictor(TrainedModel(parameters, Coding(inputs, targets)), reader)


def refusal(rows: list[Any], predicting: Predictor | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        (predicting or predictor(inputs=STRICT)).predict(rows)
    return refused.value


def answer_of(predicting: Predictor, predictions: Predictions) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(answer_json("mdl_1", predicting.model.coding.targets, predictions))
    return whole


def answers(predicting: Predictor, rows: Sequence[Any]) -> list[Any]:
    """What is predicted for the rows, and for classes the scores with it."""
    whole = answer_of(predicting, predicting.predict(rows))
    assert whole["model_id"] == "mdl_1"
    if "classes" not in whole:
        return whole["predictions"]  # type: ignore[no-any-return]
    return list(zip(whole["predictions"], whole["scores"], strict=True))


def answer(predicting: Predictor, **values: object) -> object:
    (only,) = answers(predicting, [{**ROW, **values}])
    return only


class TestAnswers:
    @pytest.mark.parametrize("name", TARGETS)
    def test_objects_and_arrays_get_the_same_answers(self, name: str) -> None:
        predicting = predictor(TARGETS[name])
        rows: list[Any] = [ROW, list(ROW.values()), dict(reversed(ROW.items()))]
        first, second, third = answers(predicting, rows)
        assert first == second == third
        assert predicting.reader.columns == tuple(ROW)

    def test_a_class_comes_with_the_scores_of_all(self) -> None:
        coding = TARGETS["integer classes"]
        predicting = predictor(coding)
        whole = answer_of(predicting, predicting.predict([ROW, ROW]))
        assert list(whole) == ["model_id", "predictions", "classes", "scores", "unknown"]
        assert whole["classes"] == [3, 5, 7]
        scores = whole["scores"][0]
        assert whole["predictions"] == [whole["classes"][int(np.argmax(scores))]] * 2
        X = INPUTS.encode({key: np.array([value], dtype=object) for key, value in ROW.items()})
        np.testing.assert_allclose(scores, predict(predicting.model.parameters, X)[0], rtol=1e-14)

    def test_numbers_come_in_their_own_units(self) -> None:
        predicting = predictor()
        X = INPUTS.encode({key: np.array([value], dtype=object) for key, value in ROW.items()})
        outputs = predict(predicting.model.parameters, X)[0]
        assert answer(predicting) == pytest.approx({"price": 100 + 50 * outputs[0], "weight": -5 + outputs[1]})

    def test_one_target_has_numbers_and_no_objects(self) -> None:
        predicting = predictor(NumberCoding(("price",), Scaler((100.0,), (50.0,))))
        whole = answer_of(predicting, predicting.predict([ROW, ROW]))
        assert list(whole) == ["model_id", "predictions", "unknown"]
        assert [type(each) for each in whole["predictions"]] == [float, float]

    def test_a_reconstruction_has_the_inputs_columns(self) -> None:
        back = answer(predictor(TARGETS["reconstruction"]))
        assert isinstance(back, dict)
        assert list(back) == list(ROW)
        assert back["colour"] in ("blue", "red")
        assert type(back["member"]) is bool

    def test_a_target_column_may_be_there_and_is_not_looked_at(self) -> None:
        predicting = predictor()
        assert answer(predicting, price="unknown", weight=None) == answer(predicting)

    @pytest.mark.parametrize("has_simdjson", [True, False])
    def test_rows_of_a_body_get_the_answers_of_the_same_rows(
        self, has_simdjson: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_rows, "HAS_SIMDJSON", has_simdjson and json_rows.HAS_SIMDJSON)
        inputs = inputs_scaled((CodedColumn("x"), CodedColumn("z")), Scaler((1.0, 0.0), (3.0, 0.1)))
        predicting = predictor(inputs=inputs, others=("id", "z", "x"))
        short: list[Any] = [[1, 2.5], [-3, 1e-7]]
        for rows in (short, [[7, z, x] for x, z in short], [dict(zip("xz", row, strict=True)) for row in short]):
            requested = requested_rows(json.dumps({"rows": rows}).encode())
            told = answer_of(predicting, predicting.predict_requested(requested))["predictions"]
            assert told == answers(predicting, short)
        for wrong in ([[1]], [[1, 2, 3, 4]], [[1, None], [1, "2"]]):
            with pytest.raises(InvalidRequest) as refused:
                predicting.predict_requested(requested_rows(json.dumps({"rows": wrong}).encode()))
            assert refused.value.fields == refusal(wrong, predicting).fields

    def test_no_rows_give_no_answers(self) -> None:
        assert predictor().predict([]).blocks == []

    def test_blocks_of_rows_are_answered_in_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [{**ROW, "age": age} for age in range(20, 60)]
        whole = answers(predictor(), rows)
        monkeypatch.setattr(model_module, "PREDICTED_BYTES", 8 * 7 * 3)
        assert answers(predictor(), rows) == whole


class TestRefusals:
    @pytest.mark.parametrize(
        ("column", "value", "says"),
        [
            ("age", None, "missing"),
            ("age", "31", "'31' is not a number"),
            ("age", True, "true is not a number"),
            ("age", float("nan"), "missing"),
            ("age", float("-inf"), "not a finite number"),
            ("age", 10**400, "too large"),
            ("age", [31], "an array is not a number"),
            ("age", {}, "an object is not a number"),
            ("colour", "mauve", "'mauve' is not one of the values seen in training: 'blue', 'red'"),
            ("colour", None, "missing"),
            ("colour", 1, "1 is not one of"),
            ("colour", ["red"], "an array is not a category"),
            ("colour", "\ud800", "not one of"),
            ("colour", "x" * 10_000, "…"),
            ("member", 1, "1 is not one of the values seen in training: false, true"),
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
        rows: list[Any] = [{**ROW, "member": 5, "age": "x"}] * 50
        error = refusal(rows)
        assert len(error.fields) == REPORTED_PROBLEMS
        assert [field.path for field in error.fields[:3]] == ["/rows/0/age", "/rows/0/member", "/rows/1/age"]

    def test_what_the_rows_lack_is_told_in_order(self) -> None:
        error = refusal([{"age": 1, "colour": "red", "shoe": 3}] * 50)
        assert len(error.fields) == REPORTED_PROBLEMS
        places = [field.path for field in error.fields[:4]]
        assert places == ["/rows/0/a~1b~0c", "/rows/0/member", "/rows/0/shoe", "/rows/1/a~1b~0c"]

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
        told: list[Any] = []
        try:
            told = answers(predictor(), rows) if rows else []
        except InvalidRequest as error:
            refused = error
        if refused is None:
            assert len(told) == len(rows)
        else:
            assert refused.fields
            json.dumps([refused.message, *(field.path for field in refused.fields)], ensure_ascii=False).encode()

    @pytest.mark.parametrize("block_bytes", [2**20, 8 * 2])
    def test_a_network_that_overflows_has_no_answer(self, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model_module, "PREDICTED_BYTES", block_bytes)
        predicting = predictor(TARGETS["numbers"], "linear")
        (fine,) = answers(predicting, [{**ROW, "age": 1e300}])
        assert np.isfinite(list(fine.values())).all()
        identity = inputs_scaled((CodedColumn("x"),), Scaler((0.0,), (1e-300,)))
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


MOMENTS = replace(
    inputs_scaled(
        (
            CodedColumn("size", has_gaps=True),
            CodedColumn("when", moments="datetime", periods=("day",)),
            CodedColumn("code", ("007", "1.0", "2A"), has_gaps=True),
            CodedColumn("clock", moments="time_of_day"),
        ),
        Scaler((10.0, 0.0, 0.0), (2.0, 86400.0, 3600.0)),
    ),
    means=(11.0, 43200.0, 7200.0),
)
SEEN = {"size": 12, "when": "1970-01-03T06:00:00", "code": "2A", "clock": "03:30"}


def coded(cells: CellRules | None = None, **values: object) -> list[float]:
    reader = RowReader(MOMENTS, (), (), cells)
    row: list[float] = MOMENTS.encode(reader.read([{**SEEN, **values}], "as_missing").columns)[0].tolist()
    return row


@st.composite
def rows_of_all_types(draw: st.DrawFn) -> list[dict[str, object]]:
    def one() -> dict[str, object]:
        seconds = draw(st.integers(0, 86_399))
        return {
            "size": draw(st.none() | st.floats(-1e6, 1e6)),
            "when": draw(st.none() | st.datetimes().map(lambda moment: moment.isoformat())),
            "code": draw(st.sampled_from([None, "007", "1.0", "2A"])),
            "clock": f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
        }

    return [one() for _ in range(draw(st.integers(2, 30)))]


@given(
    rows_of_all_types(),
    st.sampled_from(
        [
            (ClassCoding("y", ("no", "yes"), (0.0, 1.0)), "sigmoid"),
            (ClassCoding("y", (3, 5, 7), (0.0, 1.0), unit_each=True), "softmax"),
            (NumberCoding(("y",), Scaler((1.0,), (3.0,))), "linear"),
            (NumberCoding(("y", "z"), Scaler((1.0, 0.0), (3.0, 0.1))), "tanh"),
            (Reconstruction(MOMENTS), "linear"),
        ]
    ),
    st.sampled_from(["sigmoid", "tanh", "relu", "linear"]),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 29),
)
@settings(max_examples=40, deadline=None)
def test_a_row_is_answered_alike_in_any_company(
    rows: list[dict[str, object]], coding: tuple[TargetCoding, str], hidden: str, dtype: str, cut: int
) -> None:
    """To the last bit: JSON has all digits of a number."""
    whole = predictor(*coding, MOMENTS, hidden)
    model = TrainedModel(whole.model.parameters.astype(dtype), whole.model.coding)
    predicting = replace(whole, model=model)
    together = answers(predicting, rows)
    assert [answer for row in rows for answer in answers(predicting, [row])] == together
    parts = [part for part in (rows[:cut], rows[cut:]) if part]
    assert [answer for part in parts for answer in answers(predicting, part)] == together


class TestReading:
    def test_null_is_the_mean_or_no_category(self) -> None:
        reader = RowReader(MOMENTS, (), (), None)
        nulls = reader.read([dict.fromkeys(SEEN), SEEN], "refuse")
        X = MOMENTS.encode(nulls.columns)
        np.testing.assert_array_equal(X[0], [0.5, 1, 0.5, 0, 0, 0, 0, 0, 1, 2])
        np.testing.assert_allclose(X[1], [1, 0, 2.25, 1, 0, 0, 0, 1, 0, 3.5], atol=1e-15)
        assert nulls.unknown == []

    def test_a_column_without_gaps_in_training_takes_null_too(self) -> None:
        predicting = predictor()
        assert answer(predicting, age=None) == answer(predicting, age=40)
        assert answer(predicting, colour=None) != answer(predicting, colour="red")

    def test_an_unknown_category_counts_as_missing_where_that_is_wanted(self) -> None:
        predicting = predictor()
        rows: list[Any] = [ROW, {**ROW, "colour": "mauve"}, {**ROW, "colour": None}]
        told = answer_of(predicting, predicting.predict(rows, "as_missing"))
        assert told["unknown"] == [{"row": 1, "column": "colour"}]
        assert told["predictions"][1] == told["predictions"][2] != told["predictions"][0]
        assert predicting.predict([ROW, ROW], "as_missing").unknown == []

    def test_a_model_that_takes_no_gaps_takes_no_unknown_category(self) -> None:
        with pytest.raises(InvalidRequest, match="'mauve' is not one of"):
            predictor(inputs=STRICT).predict([{**ROW, "colour": "mauve"}], "as_missing")

    @pytest.mark.parametrize(("value", "category"), [(7, "007"), (1, "1.0"), (1.0, "1.0"), ("2A", "2A")])
    def test_a_category_may_come_as_the_number_it_was_written_like(self, value: object, category: str) -> None:
        assert coded(code=value) == coded(code=category)

    def test_a_boolean_may_come_as_a_cell_of_text(self) -> None:
        assert answer(predictor(cells=CellRules()), member="TRUE") == answer(predictor(), member=True)

    def test_text_is_read_as_a_cell_of_the_file(self) -> None:
        comma = CellRules(decimal=",", missing_values=("unbekannt",))
        assert coded(comma, size="12,5") == coded(size=12.5)
        assert coded(comma, size="unbekannt") == coded(comma, size="NA") == coded(size=None)
        assert coded(comma, when="", clock=" ") == coded(when=None, clock=None)
        with pytest.raises(InvalidRequest, match="'12;5' is not a number"):
            coded(comma, size="12;5")

    def test_a_file_without_text_gives_text_no_meaning(self) -> None:
        with pytest.raises(InvalidRequest, match="'12' is not a number"):
            coded(size="12")

    def test_moments_come_in_iso_8601_and_count_in_utc(self) -> None:
        assert coded(when="1970-01-03T08:00:00+02:00") == coded(when="1970-01-03 06:00") == coded()
        for wrong in (12, "soon", True, [1]):
            with pytest.raises(InvalidRequest, match="is not a date or time in ISO 8601"):
                coded(when=wrong)
        with pytest.raises(InvalidRequest, match="is not a time such as 12:30"):
            coded(clock="noon")

    def test_other_columns_of_the_dataset_may_be_there(self) -> None:
        predicting = predictor(others=("id",))
        assert answer(predicting, id=None) == answer(predicting, id="x") == answer(predicting)

    def test_an_array_may_have_the_other_columns_too(self) -> None:
        table = ("id", *ROW, "note")
        predicting = predictor(others=table)
        values: list[Any] = list(ROW.values())
        assert answers(predicting, [[9, *values, "x"], values, ROW]) == [answer(predictor())] * 3
        error = refusal([[9, *values, "x"], ["a", True, *values[1:], "x"]], predicting)
        assert [field.path for field in error.fields] == ["/rows/1/1"]
        error = refusal([[*values, "x"]], predicting)
        assert error.message == "Row 0 has 5 values, and this model has 4 input columns, of 6 that its dataset has."

    def test_a_column_that_a_row_has_twice(self) -> None:
        row = {"caf\u00e9": 1.0, "cafe\u0301": 2.0}
        error = refusal([row], predictor(inputs=inputs_scaled((CodedColumn("caf\u00e9"),), Scaler.identity(1))))
        assert [field.path for field in error.fields] == ["/rows/0/caf\u00e9"]
        assert "two values for column 'caf\u00e9'" in error.message

    def test_a_name_is_found_however_its_accents_are_typed(self) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        for ours, theirs in ((composed, decomposed), (decomposed, composed)):
            inputs = inputs_scaled((CodedColumn(ours),), Scaler.identity(1))
            predicting = predictor(inputs=inputs)
            assert answers(predicting, [{theirs: 2}]) == answers(predicting, [{ours: 2}])
