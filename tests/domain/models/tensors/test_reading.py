"""Tensors are read as the same rows in JSON are, and what is no table of the model is refused with its place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.oip.datatypes import Datatype
from domain.inference.json_tensors import from_json
from domain.models.prediction import Predictions, Predictor
from domain.models.tensors.reading import read_tensors
from domain.models.tensors.tensor import Tensor
from domain.models.value_reading import REPORTED_PROBLEMS
from infra.errors import InvalidRequest
from tests.domain.models.test_prediction import predictor
from tests.support.columns import inputs_scaled
from tests.support.measured import UNTIMED

MIXED = inputs_scaled(
    (
        CodedColumn("age", has_gaps=True),
        CodedColumn("colour", ("blue", "red")),
        CodedColumn("member", (False, True)),
        CodedColumn("day", moments="datetime"),
        CodedColumn("code", ("007", "12")),
    ),
    Scaler((40.0, 1.7e9), (10.0, 1e6)),
)
NUMBERS = inputs_scaled(tuple(map(CodedColumn, "abc")), Scaler((0.0, 1.0, 2.0), (1.0, 2.0, 3.0)))

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.none() | st.floats(-1e6, 1e6),
            "colour": st.sampled_from(["blue", "red", None]),
            "member": st.sampled_from([False, True, None]),
            "day": st.sampled_from(["2024-01-31", "2024-02-29T12:30Z", None]),
            "code": st.sampled_from(["007", "12", None]),
        }
    ),
    min_size=1,
    max_size=5,
)

DATATYPES: dict[str, Datatype] = {"age": "FP64", "colour": "BYTES", "member": "BOOL", "day": "BYTES", "code": "BYTES"}


def column(name: str, values: list[Any], datatype: Datatype, *more: int) -> Tensor:
    shape = (len(values), *more)
    return Tensor(name, datatype, shape, from_json(values, shape, datatype))


def table(rows: list[dict[str, Any]]) -> list[Tensor]:
    return [column(name, [row[name] for row in rows], datatype) for name, datatype in DATATYPES.items()]


def answers(predicting: Predictor, tensors: list[Tensor], unknown: UnknownCategories = "refuse") -> Predictions:
    return predicting.predict_read(read_tensors(predicting.reader, tensors, unknown))


def assert_same(one: Predictions, other: Predictions) -> None:
    """The same bits, and the same values unknown."""
    assert one.unknown == other.unknown
    for mine, theirs in zip(one.blocks, other.blocks, strict=True):
        assert mine.outputs.tobytes() == theirs.outputs.tobytes()


def refusal(inputs: InputCoding, *tensors: Tensor) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        read_tensors(predictor(inputs=inputs).reader, tensors, "refuse")
    return refused.value


@UNTIMED
@given(ROWS, st.permutations(list(DATATYPES)), st.booleans())
def test_a_table_of_mixed_types_gives_the_bits_of_the_same_rows(
    rows: list[dict[str, Any]], order: list[str], binary: bool
) -> None:
    predicting = predictor(inputs=MIXED)
    named = {tensor.name: tensor for tensor in table(rows)}
    if binary:  # what has no null says otherwise what is missing
        named["age"] = column("age", [], "FP64", 1)._replace(
            shape=(len(rows), 1), values=np.array([math.nan if row["age"] is None else row["age"] for row in rows])
        )
        for name in ("colour", "day", "code"):
            named[name] = column(name, [row[name] or "" for row in rows], "BYTES", 1)
    assert_same(answers(predicting, [named[name] for name in order]), predicting.predict(rows))


@pytest.mark.parametrize("datatype", ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"])
@pytest.mark.parametrize("one_tensor", [False, True])
def test_numbers_may_be_of_any_integer_type(datatype: Datatype, one_tensor: bool) -> None:
    rows = [[1, 2, 3], [100, 50, 0]]
    tensors = [Tensor("x", datatype, (2, 3), from_json(rows, (2, 3), datatype))]
    if not one_tensor:
        tensors = [
            column(name, list(values), datatype)
            for name, values in zip("abc", np.transpose(rows).tolist(), strict=True)
        ]
    predicting = predictor(inputs=NUMBERS)
    assert_same(answers(predicting, tensors), predicting.predict(rows))


@UNTIMED
@given(
    st.sampled_from(["FP16", "FP32", "FP64"]),
    st.lists(st.lists(st.floats(-1e4, 1e4, width=16), min_size=3, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["x", "a"]),
)
def test_one_tensor_may_hold_all_numbers(datatype: Datatype, rows: list[list[float]], name: str) -> None:
    predicting = predictor(inputs=NUMBERS)
    shape = (len(rows), 3)
    assert_same(
        answers(predicting, [Tensor(name, datatype, shape, from_json(rows, shape, datatype))]), predicting.predict(rows)
    )


@pytest.mark.parametrize("name", ["x", "a"])
@pytest.mark.parametrize("unused", [7.0, math.nan])
def test_one_tensor_may_hold_all_columns_of_the_dataset(name: str, unused: float) -> None:
    predicting = predictor(inputs=NUMBERS, others=("c", "unused", "a", "b"))
    tensor = Tensor(name, "FP64", (2, 4), np.array([3.0, unused, 1.0, 2.0, 6.0, unused, 4.0, 5.0]))
    assert_same(answers(predicting, [tensor]), predicting.predict([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


def test_what_is_missing_in_one_tensor_is_told_with_its_column() -> None:
    gaps = Tensor("x", "FP64", (1, 3), np.array([1.0, math.nan, 2.0]))
    predicting = predictor(inputs=NUMBERS)
    assert_same(answers(predicting, [gaps]), predicting.predict([[1.0, None, 2.0]]))
    refused = refusal(replace(NUMBERS, missing="refuse"), gaps)
    assert (refused.code, refused.fields[0].path) == ("invalid_rows", "/inputs/0/data/0")
    assert "column 'b'" in refused.message


def test_a_float32_is_what_it_is_and_not_the_number_it_was_written_as() -> None:
    predicting = predictor(inputs=NUMBERS)
    written = [[0.1, 0.2, 0.3]]
    rounded = np.array(written, np.float32).astype(np.float64).tolist()
    tensor = Tensor("x", "FP32", (1, 3), from_json(written, (1, 3), "FP32"))
    assert_same(answers(predicting, [tensor]), predicting.predict(rounded))


def test_categories_that_were_numbers_may_come_as_numbers() -> None:
    row = {"age": 1.0, "colour": "red", "member": True, "day": "2024-01-31", "code": "12"}
    predicting = predictor(inputs=MIXED)
    tensors = [*table([row])[:-1], column("code", [12], "INT64")]
    assert_same(answers(predicting, tensors), predicting.predict([row]))


def test_unknown_categories_count_as_missing_if_that_is_asked() -> None:
    rows = [{"age": 1.0, "colour": "green", "member": True, "day": None, "code": "12"}] * 2
    predicting = predictor(inputs=MIXED)
    assert_same(answers(predicting, table(rows), "as_missing"), predicting.predict(rows, "as_missing"))
    assert "'green' is not one of" in refusal(MIXED, *table(rows)).message


def test_other_columns_of_the_dataset_are_not_looked_at() -> None:
    predicting = predictor(inputs=NUMBERS, others=("a", "b", "c", "name"))
    tensors = [column(name, [1.0], "FP64") for name in "abc"]
    others = [column("name", ["x"], "BYTES"), column("price", [True], "BOOL")]
    assert_same(answers(predicting, [*others, *tensors]), predicting.predict([[1.0, 1.0, 1.0]]))


A, B, C = (column(name, [1.0], "FP64") for name in "abc")


@pytest.mark.parametrize(
    ("tensors", "path", "message"),
    [
        ([A, B], "/inputs", "There is no tensor for column 'c'."),
        ([A, B, B, C], "/inputs/2/name", "There are two tensors named 'b'."),
        ([A, B, C, column("d", [1.0], "FP64")], "/inputs/3/name", "'d' is no column of this model."),
        ([A, B, column("c", [1.0, 2.0], "FP64")], "/inputs/2/shape", "All tensors have as many rows"),
        ([A, B, Tensor("c", "FP64", (1, 2), np.ones(2))], "/inputs/2/shape", "holds one column"),
        ([column("x", [], "FP64", 3)], "/inputs/0/shape", "'x' has no rows."),
        ([column(name, [], "FP64") for name in "abc"], "/inputs/0/shape", "'a' has no rows."),
        ([Tensor("x", "FP64", (1, 4), np.ones(4))], "/inputs/0/shape", "The model takes one tensor of shape [n, 3]"),
    ],
)
def test_what_is_no_table_of_the_model(tensors: list[Tensor], path: str, message: str) -> None:
    refused = refusal(NUMBERS, *tensors)
    assert (refused.code, refused.fields[0].path) == ("invalid_tensor", path)
    assert message in refused.message


@pytest.mark.parametrize(
    ("name", "values", "datatype", "reason"),
    [
        ("age", [True], "BOOL", "true is not a number"),
        ("age", [math.inf], "FP64", "inf is not a finite number"),
        ("age", ["12"], "BYTES", "'12' is not a number"),  # the dataset had no cells of text
        ("colour", [1], "INT64", "1 is not one of the values seen in training"),
        ("member", [1], "INT64", "1 is not one of"),
        ("day", [1.5], "FP64", "1.5 is not a date or time"),
        ("day", ["yesterday"], "BYTES", "'yesterday' is not a date or time"),
    ],
)
def test_values_that_the_column_does_not_take(name: str, values: list[Any], datatype: Datatype, reason: str) -> None:
    row = {"age": 1.0, "colour": "red", "member": True, "day": "2024-01-31", "code": "12"}
    shape = (1,)
    wrong = np.array(values) if values == [math.inf] else from_json(values, shape, datatype)
    tensors = [Tensor(name, datatype, shape, wrong) if each.name == name else each for each in table([row])]
    refused = refusal(MIXED, *tensors)
    assert refused.code == "invalid_rows"
    assert refused.fields[0].path == f"/inputs/{list(DATATYPES).index(name)}/data/0"
    assert reason in refused.message


def test_no_more_problems_are_told_than_help() -> None:
    assert len(refusal(NUMBERS, *[column(f"n{i}", [1.0], "FP64") for i in range(100)]).fields) == REPORTED_PROBLEMS
    many = Tensor("x", "FP64", (100, 3), np.full(300, math.inf))
    assert len(refusal(NUMBERS, many).fields) == REPORTED_PROBLEMS
