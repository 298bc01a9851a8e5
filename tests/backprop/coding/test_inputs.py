from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from backprop.coding.columns import Array
from backprop.coding.input_learning import InputLearner
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import UNIT_RANGE, Scaler, Scaling
from tests.support.columns import as_column, inputs_scaled

COLOURS = ("blue", "green", "red")
FEATURES = (
    CodedColumn("age"),
    CodedColumn("colour", COLOURS),
    CodedColumn("height"),
    CodedColumn("member", (False, True)),
)


def a_batch(seed: int = 0, rows: int = 20) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        "age": rng.integers(18, 90, rows),
        "colour": as_column(rng.choice(COLOURS, rows).tolist()),
        "height": rng.normal(170, 10, rows),
        "member": rng.random(rows) < 0.5,
    }


def learned(columns: tuple[CodedColumn, ...], batch: dict[str, Array], scaling: Scaling = "standardize") -> InputCoding:
    learner = InputLearner(columns)
    learner.add(batch)
    return learner.coding(scaling, UNIT_RANGE, "impute")


def fitted(batch: dict[str, Array], scaling: Scaling = "standardize") -> InputCoding:
    return learned(FEATURES, batch, scaling)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_scikit_learn_column_by_column(dtype: type[Any]) -> None:
    batch = a_batch()
    X = fitted(batch).encode(batch, dtype)
    one_hot = OneHotEncoder(sparse_output=False)
    expected = np.hstack(
        [
            StandardScaler().fit_transform(batch["age"].reshape(-1, 1)),
            one_hot.fit_transform(batch["colour"].reshape(-1, 1)),
            StandardScaler().fit_transform(batch["height"].reshape(-1, 1)),
            one_hot.fit_transform(batch["member"].reshape(-1, 1)),
        ]
    )
    np.testing.assert_allclose(X, expected, rtol=1e-6 if dtype is np.float32 else 1e-12, atol=1e-12)
    assert X.dtype == dtype
    assert X.flags.c_contiguous


def test_numbers_only_are_coded_contiguously_and_in_order() -> None:
    table = np.arange(12.0).reshape(4, 3)
    coding = learned(tuple(map(CodedColumn, "abc")), dict(zip("abc", table.T, strict=True)), "none")
    X = coding.encode(dict(zip("abc", table.T, strict=True)))
    np.testing.assert_array_equal(X, table)
    assert X.flags.c_contiguous


def test_names_each_unit() -> None:
    coding = fitted(a_batch())
    names = ["age", "colour=blue", "colour=green", "colour=red", "height", "member=False", "member=True"]
    assert coding.unit_names == names
    assert coding.width == 7


@given(st.integers(0, 10_000), st.sampled_from(["standardize", "min_max", "none"]))
def test_decoding_gives_the_columns_back(seed: int, scaling: Scaling) -> None:
    batch = a_batch(seed)
    coding = fitted(batch, scaling)
    decoded = coding.decode(coding.encode(batch))
    assert list(decoded) == list(batch)
    for name, values in batch.items():
        if values.dtype.kind in "if":
            np.testing.assert_allclose(decoded[name], values, rtol=1e-12)
        else:
            assert decoded[name].tolist() == values.tolist()


def test_refuses_a_category_never_seen() -> None:
    batch = a_batch()
    coding = fitted(batch)
    with pytest.raises(ValueError, match="'mauve'"):
        coding.encode({**batch, "colour": as_column(["mauve"] * 20)})


def test_a_number_beyond_float32_becomes_infinite_without_a_warning() -> None:
    coding = inputs_scaled((CodedColumn("x"),), Scaler.identity(1))
    assert np.isposinf(coding.encode({"x": np.array([1e300])}, np.float32)).all()


NAN = np.nan


def test_a_gap_is_the_mean_and_tells_so_by_a_unit_of_its_own() -> None:
    columns = (CodedColumn("size", has_gaps=True), CodedColumn("colour", COLOURS, has_gaps=True), CodedColumn("age"))
    batch = {
        "size": np.array([1.0, NAN, 5.0, 3.0]),
        "colour": np.array(["red", None, "green", "blue"], dtype=object),
        "age": np.array([20, 30, 40, 30]),
    }
    coding = learned(columns, batch, "min_max")
    assert coding.means == (3.0, 30.0)
    assert coding.unit_names[1] == "size: missing"
    np.testing.assert_array_equal(
        coding.encode(batch),
        [
            [0, 0, 0, 0, 1, 0, 0],
            [0.5, 1, 0, 0, 0, 1, 0.5],
            [1, 0, 0, 1, 0, 0, 1],
            [0.5, 0, 1, 0, 0, 0, 0.5],
        ],
    )
    decoded = coding.decode(coding.encode(batch))
    assert decoded["colour"].tolist() == batch["colour"].tolist()
    # Without a gap in training a missing number is the mean all the same, and no unit tells of it.
    late = coding.encode({**batch, "age": np.array([NAN] * 4), "size": np.array([3.0] * 4)})
    np.testing.assert_array_equal(late[:, [0, 1, 6]], [[0.5, 0, 0.5]] * 4)


def test_a_gap_where_none_may_be_is_refused() -> None:
    batch = a_batch()
    coding = replace(fitted(batch), missing="refuse")
    for name, value in (("age", NAN), ("colour", None), ("member", None)):
        with pytest.raises(ValueError, match="missing"):
            coding.encode({**batch, name: np.array([value] * 20, dtype=float if name == "age" else object)})


def test_moments_are_seconds_and_the_waves_of_their_periods() -> None:
    column = CodedColumn("when", moments="datetime", periods=("day", "week"), has_gaps=True)
    seconds = np.array([0.0, 6 * 3600.0, 4 * 86400.0, NAN])  # 1970 began on a Thursday
    coding = learned((column,), {"when": seconds}, "none")
    assert coding.unit_names == [
        "when",
        "when: sine of the day",
        "when: cosine of the day",
        "when: sine of the week",
        "when: cosine of the week",
        "when: missing",
    ]
    quarter, thursday = np.pi / 2, 2 * np.pi * 3 / 7
    np.testing.assert_allclose(
        coding.encode({"when": seconds}),
        [
            [0, 0, 1, np.sin(thursday), np.cos(thursday), 0],
            [21600, np.sin(quarter), 0, np.sin(thursday + quarter / 7), np.cos(thursday + quarter / 7), 0],
            [345600, 0, 1, 0, 1, 0],
            [(21600 + 345600) / 3, 0, 0, 0, 0, 1],
        ],
        atol=1e-12,
    )


@pytest.mark.parametrize("scaling", ["standardize", "min_max", "none"])
def test_what_did_not_vary_in_training_has_no_say(scaling: Scaling) -> None:
    columns = (
        CodedColumn("flat"),
        CodedColumn("nearly"),
        CodedColumn("empty", has_gaps=True),
        CodedColumn("holes", has_gaps=True),
        CodedColumn("colour", COLOURS, has_gaps=True),
        CodedColumn("noon", moments="datetime", periods=("day",)),
        CodedColumn("age"),
    )
    batch = {
        "flat": np.array([100.0, 100.0, 100.0]),
        "nearly": np.array([0.3, 0.30000000000000004, 0.3]),
        "empty": np.array([NAN, NAN, NAN]),
        "holes": np.array([2.0, NAN, 2.0]),
        "colour": as_column(["red", "red", "blue"]),
        "noon": np.array([0.5, 1.5, 7.5]) * 86400,
        "age": np.array([1.0, 2.0, 4.0]),
    }
    learner = InputLearner(columns)
    for row in range(3):  # in batches, none of which varies
        learner.add({name: values[row : row + 1] for name, values in batch.items()})
    coding = learner.coding(scaling, UNIT_RANGE, "impute")
    varies = ["holes: missing", "colour=blue", "colour=red", "noon", "age"]
    X = coding.encode(batch)
    assert [name for name, unit in zip(coding.unit_names, X.T, strict=True) if np.ptp(unit) > 0] == varies
    other = {
        "flat": np.array([250.0]),
        "nearly": np.array([0.3001]),
        "empty": np.array([5.0]),
        "holes": np.array([1e9]),
        "colour": as_column(["green"]),
        "noon": np.array([0.5 * 86400 + 600]),
        "age": np.array([1.0]),
    }
    has_say = [name in varies for name in coding.unit_names]
    np.testing.assert_array_equal(coding.encode(other)[:, np.logical_not(has_say)], 0)
    decoded = coding.decode(X)
    assert decoded["flat"].tolist() == [100] * 3
    np.testing.assert_allclose(decoded["nearly"], 0.3, rtol=1e-15)
    assert decoded["colour"].tolist() == ["red", "red", "blue"]


def test_a_category_that_never_varied_comes_back() -> None:
    batch = {"colour": as_column(["green", "green"]), "x": np.array([0.0, 1.0])}
    coding = learned((CodedColumn("colour", COLOURS), CodedColumn("x")), batch)
    X = coding.encode(batch)
    np.testing.assert_array_equal(X[:, :3], 0)
    assert coding.decode(X)["colour"].tolist() == ["green", "green"]
