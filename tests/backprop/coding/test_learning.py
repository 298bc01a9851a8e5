from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.coding.coding import Coding
from backprop.coding.columns import Array
from backprop.coding.inputs import CodedColumn
from backprop.coding.labels import Labels
from backprop.coding.learning import ClassesMissing, CodingPlan, ConstantTarget, Learner
from backprop.coding.scaling import CannotBeScaled, Scaling
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction
from tests.support.columns import as_column

FEATURES = (CodedColumn("age"), CodedColumn("colour", ("blue", "green", "red")), CodedColumn("height"))
RNG = np.random.default_rng(4)
ROWS = 40
TABLE: dict[str, Array] = {
    "age": RNG.integers(18, 90, ROWS),
    "colour": as_column(RNG.choice(["blue", "green", "red"], ROWS).tolist()),
    "height": RNG.normal(170, 10, ROWS),
    "grade": as_column(["a", "b"] * (ROWS // 2)),
    "weight": RNG.normal(70, 9, ROWS),
}


def plan(
    *targets: str, classes: Labels | None = None, activation: str = "sigmoid", scaling: Scaling = "standardize"
) -> CodingPlan:
    return CodingPlan(FEATURES, scaling, "impute", targets, classes, activation)


def learned(a_plan: CodingPlan, *batches: dict[str, Array]) -> Coding:
    learner = Learner(a_plan)
    for batch in batches or (TABLE,):
        learner.add(batch)
    return learner.coding()


@pytest.mark.parametrize(
    ("a_plan", "kind"),
    [
        (plan("grade", classes=("a", "b")), ClassCoding),
        (plan("grade", classes=("a", "b"), activation="softmax"), ClassCoding),
        (plan("weight", activation="tanh"), NumberCoding),
        (plan("weight", "height", activation="linear", scaling="none"), NumberCoding),
        (plan(scaling="min_max"), Reconstruction),
    ],
)
def test_the_widths_planned_are_those_of_the_coding(a_plan: CodingPlan, kind: type[Any]) -> None:
    coding = learned(a_plan)
    assert isinstance(coding.targets, kind)
    assert (a_plan.input_width, a_plan.output_width) == (coding.inputs.width, coding.targets.width)
    assert coding.inputs.coded_columns == FEATURES
    assert coding.targets.columns == a_plan.targets
    assert coding.inputs.encode(TABLE).shape == (ROWS, a_plan.input_width)
    assert coding.targets.encode(TABLE).shape == (ROWS, a_plan.output_width)


@given(st.lists(st.integers(0, ROWS), max_size=4))
def test_batches_of_any_size_teach_the_same(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), ROWS]
    batches = [{name: values[start:stop] for name, values in TABLE.items()} for start, stop in pairwise(bounds)]
    a_plan = plan("weight", activation="linear")
    whole, pieces = learned(a_plan), learned(a_plan, *batches)
    for one, other in ((whole.inputs, pieces.inputs), (whole.targets, pieces.targets)):
        np.testing.assert_allclose(one.encode(TABLE), other.encode(TABLE), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("activation", "low", "high"), [("sigmoid", 0.0, 1.0), ("tanh", -1.0, 1.0)])
def test_targets_fill_the_range_of_the_output(activation: str, low: float, high: float) -> None:
    for a_plan in (
        plan("weight", activation=activation),
        plan("grade", classes=("a", "b"), activation=activation),
        CodingPlan((CodedColumn("height"),), "min_max", "impute", (), None, activation),
    ):
        Y = learned(a_plan).targets.encode(TABLE)
        np.testing.assert_allclose([Y.min(), Y.max()], [low, high], atol=1e-12)


def test_inputs_go_into_the_unit_range_unless_they_are_the_targets() -> None:
    for a_plan in (
        plan("weight", activation="tanh", scaling="min_max"),
        plan("grade", classes=("a", "b"), activation="tanh", scaling="min_max"),
        plan(activation="linear", scaling="min_max"),
    ):
        X = learned(a_plan).inputs.encode(TABLE)
        np.testing.assert_allclose([X.min(), X.max()], [0.0, 1.0], atol=1e-12)


def test_a_linear_output_has_standardized_numbers() -> None:
    Y = learned(plan("weight", activation="linear")).targets.encode(TABLE)
    np.testing.assert_allclose([Y.mean(), Y.std()], [0.0, 1.0], atol=1e-12)


def test_classes_without_a_row_are_told() -> None:
    with pytest.raises(ClassesMissing, match="'grade' = 'c', 'd'") as refused:
        learned(plan("grade", classes=("a", "b", "c", "d")))
    assert (refused.value.target, refused.value.classes) == ("grade", ("c", "d"))


def test_a_class_that_was_not_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="'b'"):
        learned(plan("grade", classes=("a", "c")))


def test_a_constant_target_is_told() -> None:
    constant = {**TABLE, "weight": np.full(ROWS, 0.1)}
    with pytest.raises(ConstantTarget, match=r"'weight' is 0\.1") as refused:
        learned(plan("height", "weight"), constant)
    assert (refused.value.target, refused.value.value) == ("weight", 0.1)


@pytest.mark.parametrize(("column", "scaling"), [("age", "standardize"), ("weight", "none")])
def test_what_cannot_be_scaled_is_told(column: str, scaling: Scaling) -> None:
    spread = {**TABLE, column: np.resize([-1.7e308, 1.7e308], ROWS)}
    with pytest.raises(CannotBeScaled):
        learned(plan("weight", scaling=scaling), spread)
