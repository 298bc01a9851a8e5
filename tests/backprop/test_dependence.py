from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import partial_dependence

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, TargetCoding
from backprop.dependence import MOST_CATEGORIES, grid, mean_answers
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters

Array = NDArray[Any]

NUMBERS_ONLY = InputCoding(
    (CodedColumn("x"), CodedColumn("y"), CodedColumn("z")), Scaler((0.0, 1.0, 2.0), (1.0, 2.0, 3.0)), (0.0, 1.0, 2.0)
)
MIXED = InputCoding(
    (
        CodedColumn("size", has_gaps=True),
        CodedColumn("colour", ("blue", "red"), has_gaps=True),
        CodedColumn("on", (True,)),
    ),
    Scaler((0.0,), (1.0,)),
    (0.5,),
)


def model_of(inputs: InputCoding, targets: TargetCoding, output: str) -> TrainedModel:
    network = Network(inputs.width, (Layer(4, "tanh"), Layer(targets.width, output)))
    parameters = initial_parameters(network, epsilon=1.0, seed=3, dtype=np.float64)
    return TrainedModel(parameters, Coding(inputs, targets))


def batch_of(X: Array) -> dict[str, Array]:
    return {name: X[:, number] for number, name in enumerate("xyz")}


class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The model, as scikit-learn wants one."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.fitted_ = True

    def fit(self, _X: Array, _y: Array) -> Regressor:
        return self

    def predict(self, X: Array) -> Array:
        (block,) = self.model.predict(batch_of(X))
        return block.columns["t"]


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The model, as scikit-learn wants one."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.classes_ = np.arange(3)

    def fit(self, _X: Array, _y: Array) -> Classifier:
        return self

    def predict_proba(self, X: Array) -> Array:
        (block,) = self.model.predict(batch_of(X))
        assert block.scores is not None
        return block.scores.scores


@pytest.mark.parametrize("column", [0, 1, 2])
def test_it_is_scikit_learn_s(column: int) -> None:
    X = np.random.default_rng(1).normal(size=(50, 3))
    values = grid(NUMBERS_ONLY.coded_columns[column], X[:, column], 7)
    options: dict[str, Any] = {"custom_values": {column: values}, "method": "brute", "percentiles": (0, 1)}
    numbers = model_of(NUMBERS_ONLY, NumberCoding(("t",), Scaler((5.0,), (3.0,))), "linear")
    theirs = partial_dependence(Regressor(numbers), X, [column], **options)
    np.testing.assert_array_equal(theirs["grid_values"][0], values)
    np.testing.assert_allclose(mean_answers(numbers, batch_of(X), "xyz"[column], values).T, theirs["average"], 1e-12)
    classes = model_of(NUMBERS_ONLY, ClassCoding("t", ("a", "b", "c"), (0.0, 1.0), unit_each=True), "softmax")
    theirs = partial_dependence(Classifier(classes), X, [column], response_method="predict_proba", **options)
    np.testing.assert_allclose(mean_answers(classes, batch_of(X), "xyz"[column], values).T, theirs["average"], 1e-12)


@pytest.mark.parametrize("column", ["size", "colour", "on"])
def test_values_of_every_kind_are_set_as_a_prediction_takes_them(column: str) -> None:
    model = model_of(MIXED, ClassCoding("t", ("a", "b"), (0.0, 1.0)), "sigmoid")
    batch = {
        "size": np.array([1.0, np.nan, 3.0, -2.0]),
        "colour": np.array(["red", None, "blue", "red"], dtype=object),
        "on": np.array([True, True, True, True]),
    }
    coded = next(each for each in MIXED.coded_columns if each.name == column)
    values = grid(coded, batch[column], 9)
    assert len(values) == {"size": 4, "colour": 3, "on": 1}[column]
    found = mean_answers(model, batch, column, values)
    for value, means in zip(values, found, strict=True):
        same = np.full(4, value, dtype=values.dtype)
        (block,) = model.predict({**batch, column: same})
        assert block.scores is not None
        np.testing.assert_allclose(means, block.scores.scores.mean(axis=0), rtol=1e-12)


@given(
    values=st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e9, 1e9), st.just(float("nan"))), min_size=1),
    points=st.integers(2, 9),
    has_gaps=st.booleans(),
)
def test_a_grid_of_numbers_is_some_of_them_from_the_least_to_the_greatest(
    values: list[float], points: int, has_gaps: bool
) -> None:
    found = grid(CodedColumn("x", has_gaps=has_gaps), np.array(values), points)
    assert np.isnan(found[-1:]).any() == (has_gaps and len(found) > 0)
    numbers = found[~np.isnan(found)]
    present = sorted({value for value in values if value == value})
    assert set(numbers.tolist()) <= set(present)
    assert (np.diff(numbers) > 0).all()
    assert len(numbers) <= points
    assert numbers.tolist() == present or (numbers[0], numbers[-1]) == (present[0], present[-1])


def test_a_grid_of_many_categories_has_the_most_frequent_ones() -> None:
    names = tuple(f"{number:03}" for number in range(MOST_CATEGORIES + 50))
    values = [*names[30:], *names[40:], None]
    column = CodedColumn("x", names, has_gaps=True)
    found = grid(column, np.array(values, dtype=object), 2).tolist()
    assert found == [*names[40 : 40 + MOST_CATEGORIES], None]
