from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss, r2_score

from backprop import importance
from backprop.coding.coding import Coding
from backprop.coding.columns import Batch
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from backprop.importance import Effect, Effort, Importance, permutation_importance, work_per_row
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters

Array = NDArray[Any]

COLUMNS = (
    CodedColumn("age", has_gaps=True),
    CodedColumn("colour", ("blue", "green", "red"), has_gaps=True),
    CodedColumn("day", moments="datetime", periods=("week", "day")),
    CodedColumn("height"),
)
INPUTS = InputCoding(COLUMNS, Scaler((40.0, 3e5, 170.0), (20.0, 2e5, 10.0)), (40.0, 3e5, 170.0))
CLASSES = ClassCoding("grade", ("a", "b", "c"), (0.0, 1.0), unit_each=True)
NUMBERS = NumberCoding(("p", "q"), Scaler((1.0, -5.0), (2.0, 7.0)))


def table(rows: int) -> dict[str, Array]:
    rng = np.random.default_rng(5)
    age = rng.normal(40, 20, rows)
    age[rng.random(rows) < 0.2] = np.nan
    colours: list[str | None] = ["blue", "green", "red", None]
    return {
        "age": age,
        "colour": np.array(colours, dtype=object)[rng.integers(0, 4, rows)],
        "day": rng.uniform(0, 1e6, rows).round(),
        "height": rng.normal(170, 10, rows),
        "grade": np.array(["a", "b", "c"], dtype=object)[rng.integers(0, 3, rows)],
        "p": rng.normal(1, 2, rows),
        "q": rng.normal(-5, 7, rows),
    }


def model_of(targets: TargetCoding, output: str, hidden: tuple[int, ...] = (5, 4)) -> TrainedModel:
    layers = (*(Layer(units, "tanh") for units in hidden), Layer(targets.width, output))
    parameters = initial_parameters(Network(INPUTS.width, layers), epsilon=1.0, seed=3, dtype=np.float64)
    return TrainedModel(parameters, Coding(INPUTS, targets))


def importance_of(model: TrainedModel, batch: Batch, cost: str, weights: Array | None = None) -> Importance:
    X, Y = model.coding.inputs.encode(batch), model.coding.targets.encode(batch)
    return permutation_importance(model, X, Y, cost, 11, weights)


def quality(model: TrainedModel, batch: Batch, weights: Array | None) -> tuple[float, float]:
    """The score and the mean cost, from predictions for a batch and scikit-learn's definitions."""
    predicted = list(model.predict(batch))
    columns = {name: np.concatenate([block.columns[name] for block in predicted]) for name in predicted[0].columns}
    outputs = np.concatenate([block.outputs for block in predicted])
    if model.coding.targets is CLASSES:
        actual = batch["grade"].tolist()
        return (
            accuracy_score(actual, columns["grade"].tolist(), sample_weight=weights),
            log_loss(actual, outputs, labels=["a", "b", "c"], sample_weight=weights),
        )
    both = [np.column_stack([of["p"], of["q"]]) for of in (batch, columns)]
    squares = ((outputs - NUMBERS.encode(batch)) ** 2).sum(axis=1) / 2
    return r2_score(*both, sample_weight=weights), float(np.average(squares, weights=weights))


def brute_force(model: TrainedModel, batch: Batch, repeats: int, weights: Array | None) -> list[tuple[Effect, Effect]]:
    """Each column of the table itself permuted, as docs/jobs.md says."""
    score, cost = quality(model, batch, weights)
    effects = []
    for number, column in enumerate(COLUMNS):
        permuted = []
        for repeat in range(repeats):
            order = np.random.default_rng([11, number, repeat]).permutation(len(batch["age"]))
            permuted.append(quality(model, {**batch, column.name: batch[column.name][order]}, weights))
        scores, costs = np.array(permuted).T
        effects.append((Effect((score - scores).mean(), scores.std()), Effect((costs - cost).mean(), costs.std())))
    return effects


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("targets", "output", "cost"), [(CLASSES, "softmax", "cross_entropy"), (NUMBERS, "linear", "squared_error")]
)
def test_it_is_what_predictions_for_permuted_tables_show(
    targets: TargetCoding, output: str, cost: str, weighted: bool, hidden: tuple[int, ...]
) -> None:
    model, batch = model_of(targets, output, hidden), table(60)
    weights = np.random.default_rng(2).integers(0, 4, 60).astype(float) if weighted else None
    found = importance_of(model, batch, cost, weights)
    assert (found.rows, found.repeats) == (60, 5)
    for each, (score, of_cost) in zip(found.columns, brute_force(model, batch, 5, weights), strict=True):
        assert each.score_decrease == pytest.approx(score, rel=1e-9, abs=1e-12)
        assert each.cost_increase == pytest.approx(of_cost, rel=1e-9, abs=1e-12)


def test_more_rows_than_the_bound_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = model_of(CLASSES, "softmax"), table(60)
    monkeypatch.setattr(importance, "MOST_ROWS", 25)
    weights = np.arange(60.0)
    rows = np.sort(np.random.default_rng([11]).choice(60, 25, replace=False, shuffle=False))
    part = {name: values[rows] for name, values in batch.items()}
    assert importance_of(model, batch, "cross_entropy", weights) == importance_of(
        model, part, "cross_entropy", weights[rows]
    )


def test_a_column_without_weights_has_no_importance() -> None:
    model = model_of(NUMBERS, "linear")
    first = INPUTS.first_units[1]
    model.parameters.W[0][:, first : first + COLUMNS[1].width] = 0
    of_age, of_colour, _, _ = importance_of(model, table(60), "squared_error").columns
    assert of_colour == ("colour", Effect(0, 0), Effect(0, 0))
    assert of_age.cost_increase != Effect(0, 0)


def test_a_reconstruction_has_a_cost_and_no_score() -> None:
    found = importance_of(model_of(Reconstruction(INPUTS), "linear"), table(60), "squared_error")
    assert all(each.score_decrease is None and each.cost_increase is not None for each in found.columns)


def test_what_is_not_defined_is_none() -> None:
    weightless = importance_of(model_of(CLASSES, "softmax"), table(9), "cross_entropy", np.zeros(9))
    assert {each[1:] for each in weightless.columns} == {(None, None)}
    model = model_of(NUMBERS, "linear")
    model.parameters.vector[:] = 1e200
    assert {each[1:] for each in importance_of(model, table(9), "squared_error").columns} == {(None, None)}


@given(
    sizes=st.lists(st.integers(1, 10**5), min_size=2, max_size=4),
    columns=st.integers(1, 10**5),
    rows=st.integers(1, 10**8),
)
def test_the_effort_is_bounded_and_uses_the_bounds(sizes: list[int], columns: int, rows: int) -> None:
    inputs, *units = sizes
    network = Network(max(inputs, columns), tuple(Layer(each, "linear") for each in units))
    effort = Effort.within_bounds(network, columns, rows)
    each = work_per_row(network, columns)
    assert 1 <= effort.rows <= min(rows, importance.MOST_ROWS)
    assert 1 <= effort.repeats <= importance.MOST_REPEATS
    assert effort.repeats == 1 or effort.repeats * columns <= importance.MOST_PERMUTATIONS
    assert effort.rows == 1 or effort.rows * max(network.sizes) <= importance.MOST_VALUES
    assert effort.rows == 1 or effort.rows * effort.repeats * each <= importance.MOST_WORK
    if effort.repeats > 1:
        assert effort.rows == max(1, min(rows, importance.MOST_ROWS, importance.MOST_VALUES // max(network.sizes)))


def test_the_work_of_the_usual_table_is_within_the_bounds() -> None:
    network = Network(100, (Layer(64, "tanh"), Layer(1, "linear")))
    assert Effort.within_bounds(network, 100, 10_000) == Effort(10_000, 5)
