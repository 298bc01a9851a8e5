from __future__ import annotations

import math
import weakref
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop import reference
from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.optimizers.table import OPTIMIZERS
from backprop.passes import products
from backprop.passes.batches import updates_per_epoch
from backprop.passes.lanes import Lanes
from backprop.training import Run, Training
from infra.codec import from_bytes, to_bytes
from tests.support.networks import Problem, problems, problems_of_all_kinds
from tests.support.passes import Passing, both_ways
from tests.support.runs import pass_of, run_of

Array = NDArray[Any]

NETWORK = Network(6, (Layer(5, "sigmoid"), Layer(2, "tanh")))
TRAINING = Training(iterations=12, learning_rate=0.5, weight_decay=1e-3)


def data(m: int = 50, dtype: str = "float64") -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(m, 6)).astype(dtype), rng.uniform(-1, 1, (m, 2)).astype(dtype)


def start(dtype: str = "float64", seed: int = 2) -> Parameters:
    return initial_parameters(NETWORK, epsilon=0.3, seed=seed, dtype=dtype)


@given(problems(most_units=3, most_examples=4))
@settings(max_examples=15, deadline=None)
def test_descends_as_the_pages_pseudo_code_does(problem: Problem) -> None:
    training = Training(3, learning_rate=0.01, weight_decay=problem.objective.weight_decay)
    run = run_of(problem.parameters.network, training, problem.X, problem.Y, parameters=problem.parameters)
    parameters = problem.parameters.copy()
    for record in run.records():
        np.testing.assert_allclose(run.parameters.vector, parameters.vector, rtol=1e-9, atol=1e-12)
        J = reference.descend(parameters, problem.X, problem.Y, 0.01, training.weight_decay)
        assert math.isclose(record.cost, J, rel_tol=1e-9, abs_tol=1e-13)


def test_record_k_is_j_after_k_updates() -> None:
    X, Y = data()
    run = run_of(NETWORK, TRAINING, X, Y, parameters=start())
    records = []
    for record in run.records():
        cost, _ = cost_and_gradient(run.parameters, X, Y, TRAINING.objective())
        assert (record.cost, record.data_cost, record.decay_cost) == (cost.total, cost.data, cost.decay)
        records.append(record)
    assert [record.iteration for record in records] == list(range(13))
    assert all(later.cost < earlier.cost for earlier, later in pairwise(records))


def test_a_gradient_whose_norm_overflows_is_above_any_tolerance_and_nothing_is_warned_of() -> None:
    network = Network(1, (Layer(1, "linear"),))
    X, Y = np.full((3, 1), 1e15, np.float32), np.full((3, 1), -1e15, np.float32)
    training = Training(1, learning_rate=1e-31, tolerance=1e-3)
    run = run_of(network, training, X, Y, parameters=initial_parameters(network, seed=0, dtype="float32"))
    assert [record.iteration for record in run.records()] == [0, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [
        {"learning_rate": 0.1},
        {"optimizer": "momentum", "learning_rate": 0.1, "momentum": 0.9},
        {"optimizer": "adam", "learning_rate": 1.0},
        {"optimizer": "lbfgs"},
    ],
    ids=["gradient_descent", "momentum", "adam", "lbfgs"],
)
@pytest.mark.parametrize("small_product", [products.SMALL_PRODUCT, 0], ids=["as a whole", "in blocks"])
def test_no_cross_entropy_is_negative_on_the_way_to_outputs_that_are_all_right(
    dtype: str, optimizer: dict[str, Any], small_product: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of large inputs, which make every z large after a few steps."""
    monkeypatch.setattr(products, "SMALL_PRODUCT", small_product)
    network = Network(1, (Layer(1, "sigmoid"),))
    X = np.array([[-267.8], [-66.1], [52.5], [62.9], [180.8], [320.2], [473.5]], dtype)
    Y = np.where(X > 0, 1, 0).astype(dtype)
    training = Training(500, cost="cross_entropy", **optimizer)
    run = run_of(network, training, X, Y, parameters=initial_parameters(network, seed=0, dtype=dtype))
    costs = [record.cost for record in run.records()]
    assert len(costs) > 1
    assert min(costs) >= 0


def test_no_iterations_give_the_initial_parameters_and_one_record() -> None:
    X, Y = data()
    run = run_of(NETWORK, Training(0), X, Y, parameters=start())
    assert [record.iteration for record in run.records()] == [0]
    assert run.parameters.vector.tobytes() == start().vector.tobytes()


@given(stop=st.integers(0, 12), dtype=st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=20)
def test_a_run_goes_on_from_its_state_with_the_same_bits(stop: int, dtype: str) -> None:
    X, Y = data(dtype=dtype)
    whole = run_of(NETWORK, TRAINING, X, Y, parameters=start(dtype))
    expected = list(whole.records())
    first = run_of(NETWORK, TRAINING, X, Y, parameters=start(dtype))
    before = list(islice(first.records(), stop + 1))
    second = run_of(NETWORK, TRAINING, X, Y, state=from_bytes(to_bytes(first.state())))
    assert before + list(second.records()) == expected
    assert second.parameters.vector.tobytes() == whole.parameters.vector.tobytes()
    for name, array in whole.state().items():
        assert second.state()[name].tobytes() == array.tobytes()


@st.composite
def trainings(draw: st.DrawFn) -> Training:
    """By any optimizer, on all examples or few at a time, to the end or until something stops it."""
    optimizer = draw(st.sampled_from(tuple(OPTIMIZERS)))
    batch_size = None if optimizer == "lbfgs" else draw(st.sampled_from((None, 7, 25)))
    return replace(
        TRAINING,
        optimizer=optimizer,
        learning_rate=0.1,
        corrections=3,
        batch_size=batch_size,
        seed=draw(st.integers(0, 5)),
        sparsity_weight=draw(st.sampled_from((0.0, 0.1))),
        patience=draw(st.sampled_from((None, 1, 3))),
        held_out_every=draw(st.sampled_from((None, 1, 2, 5, 20))),
        tolerance=draw(st.sampled_from((0.0, 0.08))) if batch_size is None else 0.0,
    )


@both_ways
@given(
    training=trainings(),
    stop=st.integers(0, 12),
    threads=st.integers(1, 3),
    dtype=st.sampled_from(["float32", "float64"]),
)
@settings(deadline=None, max_examples=60)
def test_a_run_of_any_kind_goes_on_from_its_state_with_the_same_bits(
    passing: Passing, training: Training, stop: int, threads: int, dtype: str
) -> None:
    X, Y = data(80, dtype)
    examples: dict[str, Any] = {"X": X[:50], "Y": Y[:50], "X_held": X[50:], "Y_held": Y[50:]}
    with passing():
        whole = run_of(NETWORK, training, **examples, parameters=start(dtype))
        expected = list(whole.records())
        first = run_of(NETWORK, training, **examples, parameters=start(dtype))
        before = list(islice(first.records(), stop + 1))
        state = from_bytes(to_bytes(first.state()))
        second = run_of(NETWORK, training, **examples, state=state, threads=threads)
        assert before + list(second.records()) == expected
    assert (second.stopped, second.best_iteration) == (whole.stopped, whole.best_iteration)
    assert second.best_parameters.vector.tobytes() == whole.best_parameters.vector.tobytes()
    for name, array in whole.state().items():
        assert second.state()[name].tobytes() == array.tobytes()


@both_ways
@given(problem=problems_of_all_kinds(most_units=5, most_examples=40), dtype=st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=30)
def test_the_held_out_cost_is_the_data_term_of_the_held_out_examples(
    passing: Passing, problem: Problem, dtype: str
) -> None:
    network, objective = problem.parameters.network, problem.objective
    X, Y = problem.X.astype(dtype), problem.Y.astype(dtype)
    training = Training(3, 0.01, objective.weight_decay, cost=objective.cost, sparsity_weight=objective.sparsity_weight)
    parameters = Parameters(network, problem.parameters.vector.astype(dtype))
    with passing():
        run = run_of(network, training, X[:1], Y[:1], parameters=parameters, X_held=X, Y_held=Y)
        for record in run.records():
            cost, _ = cost_and_gradient(run.parameters, X, Y, training.objective())
            assert record.held_out_cost == cost.data


def test_patience_ends_a_run_where_it_has_run_out_and_keeps_the_best() -> None:
    X, Y = data(80)
    training = Training(500, learning_rate=0.1, optimizer="adam", patience=4)
    run = run_of(NETWORK, training, X[:50], Y[:50], parameters=start(), X_held=X[50:], Y_held=Y[50:])
    seen = [(record.held_out_cost, run.parameters.vector.tobytes()) for record in run.records()]
    best = min(range(len(seen)), key=lambda k: (seen[k][0], k))
    assert run.stopped == "patience"
    assert (run.best_iteration, len(seen) - 1) == (best, best + 4)
    assert run.best_parameters.vector.tobytes() == seen[best][1]
    for needy in (training, replace(TRAINING, held_out_every=2)):
        with pytest.raises(ValueError, match="held-out"):
            run_of(NETWORK, needy, X, Y, parameters=start())


@given(training=trainings())
@settings(deadline=None, max_examples=80)
def test_held_out_examples_are_measured_at_the_multiples_and_patience_counts_what_was_measured(
    training: Training,
) -> None:
    """Beside a run that measures at every iteration, out of which somebody with hindsight takes what counts."""
    X, Y = data(80)
    examples: dict[str, Any] = {"X": X[:50], "Y": Y[:50], "X_held": X[50:], "Y_held": Y[50:]}
    all_of_it = replace(training, held_out_every=1, patience=None)
    measuring = run_of(NETWORK, all_of_it, **examples, parameters=start())
    every_one = [(record, measuring.parameters.vector.tobytes()) for record in measuring.records()]

    epoch = 1 if training.batch_size is None else math.ceil(50 / training.batch_size)
    every = training.held_out_every or epoch
    expected, best, best_cost, patience_is_over = [], 0, math.inf, False
    for record, _ in every_one:
        if record.iteration % every:
            expected.append(record._replace(held_out_cost=None))
            continue
        expected.append(record)
        if record.held_out_cost is not None and record.held_out_cost < best_cost:
            best, best_cost = record.iteration, record.held_out_cost
        patience_is_over = training.patience is not None and record.iteration - best >= training.patience
        if patience_is_over:
            break
    last = every_one[len(expected) - 1][0]
    if last.held_out_cost is not None and last.held_out_cost < best_cost:
        best = last.iteration

    run = run_of(NETWORK, training, **examples, parameters=start())
    assert list(run.records()) == expected
    if training.patience is None:
        best = last.iteration
    assert run.best_iteration == best
    assert run.best_parameters.vector.tobytes() == every_one[best][1]
    if last.iteration < training.iterations:
        assert run.stopped == (measuring.stopped if len(expected) == len(every_one) else "patience")


@given(batch_size=st.integers(1, 60), m=st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_an_epoch_takes_each_example_once(batch_size: int, m: int) -> None:
    """Seen from outside: with a learning rate that changes nothing, the mean J of an epoch's batches is that of all."""
    X, Y = data(m)
    still = Training(2 * m, learning_rate=1e-300, batch_size=batch_size)
    pass_ = pass_of(NETWORK, still, X, Y)
    costs = [record.data_cost for record in Run(still, pass_, parameters=start()).records()]
    epoch = pass_.updates_per_epoch
    assert epoch == updates_per_epoch(m, batch_size if batch_size < m else None)
    sizes = [min(batch_size, m)] * (epoch - 1) + [m - min(batch_size, m) * (epoch - 1)]
    whole, _ = cost_and_gradient(start(), X, Y, still.objective())
    assert math.isclose(np.dot(sizes, costs[:epoch]) / m, whole.data, rel_tol=1e-9)


@given(more=st.integers(1, 9), iterations=st.integers(0, 9), training=trainings())
@settings(deadline=None, max_examples=40)
def test_a_run_that_ended_between_measurements_goes_on_as_if_it_had_not(
    iterations: int, more: int, training: Training
) -> None:
    """The end is measured for the best parameters, and the state does not know of it."""
    X, Y = data(80)
    examples: dict[str, Any] = {"X": X[:50], "Y": Y[:50], "X_held": X[50:], "Y_held": Y[50:]}
    whole = run_of(NETWORK, replace(training, iterations=iterations + more), **examples, parameters=start())
    expected = list(whole.records())
    first = run_of(NETWORK, replace(training, iterations=iterations), **examples, parameters=start())
    before = list(first.records())
    again = run_of(NETWORK, replace(training, iterations=iterations), **examples, state=first.state())
    assert list(again.records()) == []
    assert again.best_parameters.vector.tobytes() == first.best_parameters.vector.tobytes()
    assert again.best_iteration == first.best_iteration
    second = run_of(NETWORK, replace(training, iterations=iterations + more), **examples, state=first.state())
    if first.stopped is None:
        assert before + list(second.records()) == expected
        assert second.best_iteration == whole.best_iteration
        assert second.best_parameters.vector.tobytes() == whole.best_parameters.vector.tobytes()


@pytest.mark.parametrize("batch_size", [50, 1000])
def test_a_batch_of_all_examples_is_none(batch_size: int) -> None:
    X, Y = data()
    runs = [
        run_of(NETWORK, replace(TRAINING, batch_size=size), X, Y, parameters=start()) for size in (None, batch_size)
    ]
    assert list(runs[0].records()) == list(runs[1].records())
    assert runs[0].parameters.vector.tobytes() == runs[1].parameters.vector.tobytes()


@pytest.mark.parametrize(("optimizer", "other"), [("momentum", "adam"), ("adam", "lbfgs"), ("lbfgs", "momentum")])
def test_a_run_does_not_go_on_from_the_state_of_another_optimizer(optimizer: str, other: str) -> None:
    X, Y = data()
    run = run_of(NETWORK, replace(TRAINING, optimizer=other), X, Y, parameters=start())
    next(run.records())
    changed = run_of(NETWORK, replace(TRAINING, optimizer=optimizer), X, Y, state=run.state())
    with pytest.raises(ValueError, match="not the state of"):
        next(changed.records())


def test_a_state_is_a_copy() -> None:
    X, Y = data()
    run = run_of(NETWORK, TRAINING, X, Y, parameters=start())
    records = run.records()
    next(records)
    state = run.state()
    state["parameters"][...] = 7
    assert run.parameters.vector.tobytes() == start().vector.tobytes()
    again = run.state()
    list(records)
    assert again["parameters"].tobytes() == start().vector.tobytes()
    resumed = run_of(NETWORK, TRAINING, X, Y, state=again)
    list(resumed.records())
    assert again["parameters"].tobytes() == start().vector.tobytes()


def test_a_run_lets_go_of_the_state_that_it_went_on_from() -> None:
    X, Y = data()
    training = replace(TRAINING, optimizer="adam")
    first = run_of(NETWORK, training, X, Y, parameters=start())
    next(first.records())
    state = first.state()
    arrays = [weakref.ref(array) for array in state.values()]
    second = run_of(NETWORK, training, X, Y, state=state)
    records = second.records()
    next(records)
    del state
    assert [array for array in arrays if array() is not None] == []


def test_threads_and_mapped_files_change_no_bit(tmp_path: Path) -> None:
    network = Network(40, (Layer(50, "sigmoid"), Layer(3, "sigmoid")))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6001, 40)), rng.uniform(size=(6001, 3))
    assert Lanes.for_work(6001, network.sizes, network.parameter_count).count > 1
    for name, array in (("x", X), ("y", Y)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped_X, mapped_Y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
    results = []
    for threads, x, y in ((1, X, Y), (2, X, Y), (5, X, Y), (2, mapped_X, mapped_Y)):
        parameters = initial_parameters(network, seed=0, dtype="float64")
        run = run_of(network, replace(TRAINING, iterations=4), x, y, parameters=parameters, threads=threads)
        results.append((tuple(run.records()), run.parameters.vector.tobytes()))
    assert len(set(results)) == 1


def test_divergence_is_recorded_and_warns_nobody() -> None:
    network = Network(6, (Layer(5, "relu"), Layer(2, "linear")))
    X, Y = data(dtype="float32")
    parameters = initial_parameters(network, epsilon=1, seed=0, dtype="float32")
    run = run_of(network, Training(30, learning_rate=1e6), X, Y, parameters=parameters)
    costs = [record.cost for record in run.records()]
    assert len(costs) == 31
    assert not math.isfinite(costs[-1])


def test_a_run_needs_something_to_start_from_that_fits() -> None:
    X, Y = data()
    with pytest.raises(ValueError, match="parameters or a state"):
        run_of(NETWORK, TRAINING, X, Y)
    run = run_of(NETWORK, TRAINING, X, Y, parameters=start())
    with pytest.raises(ValueError, match="first record"):
        run.state()
    next(run.records())
    state = run.state()
    for wrong in ({}, {"iteration": state["iteration"]}, {**state, "parameters": np.zeros(3)}):
        with pytest.raises(ValueError, match=r"state|parameters"):
            run_of(NETWORK, TRAINING, X, Y, state=wrong)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"iterations": -1}, "iterations"),
        ({"iterations": 1, "learning_rate": 0.0}, "learning_rate"),
        ({"iterations": 1, "learning_rate": math.nan}, "learning_rate"),
        ({"iterations": 1, "weight_decay": -1.0}, "weight_decay"),
        ({"iterations": 1, "optimizer": "newton"}, "newton"),
        *(({"iterations": 1, "momentum": value}, "momentum") for value in (-0.1, 1.0, math.nan)),
        *(({"iterations": 1, "tolerance": value}, "tolerance") for value in (-1e-9, math.inf, math.nan)),
        *(({"iterations": 1, name: 0}, name) for name in ("corrections", "batch_size", "patience", "held_out_every")),
        ({"iterations": 1, "seed": -1}, "seed"),
        ({"iterations": 1, "optimizer": "lbfgs", "batch_size": 5}, "no batch_size"),
        ({"iterations": 1, "tolerance": 0.1, "batch_size": 5}, "no tolerance"),
    ],
)
def test_trainings_that_make_no_sense_are_refused(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Training(**values)


class TestWeights:
    W = np.random.default_rng(9).integers(0, 4, 50).astype(float)

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_whole_weights_train_as_repeated_rows_do(self, optimizer: str) -> None:
        """Also of the held-out examples."""
        X, Y = data()
        training = replace(TRAINING, optimizer=optimizer, learning_rate=0.05, iterations=6)
        times = self.W.astype(int)
        held = np.arange(10)
        ours = run_of(
            NETWORK, training, X[10:], Y[10:], parameters=start(), X_held=X[held], Y_held=Y[held],
            weights=self.W[10:], weights_held=self.W[held],
        )  # fmt: skip
        X_many, Y_many = np.repeat(X[10:], times[10:], axis=0), np.repeat(Y[10:], times[10:], axis=0)
        X_held, Y_held = np.repeat(X[held], times[held], axis=0), np.repeat(Y[held], times[held], axis=0)
        repeated = run_of(NETWORK, training, X_many, Y_many, parameters=start(), X_held=X_held, Y_held=Y_held)
        for one, other in zip(ours.records(), repeated.records(), strict=True):
            assert one.held_out_cost is not None
            assert one.cost == pytest.approx(other.cost, rel=1e-9)
            assert one.held_out_cost == pytest.approx(other.held_out_cost, rel=1e-9)
            np.testing.assert_allclose(ours.parameters.vector, repeated.parameters.vector, rtol=1e-6, atol=1e-9)

    @both_ways
    @pytest.mark.parametrize(("optimizer", "batch_size"), [("adam", None), ("adam", 7), ("lbfgs", None)])
    def test_a_run_goes_on_with_the_same_bits(self, passing: Passing, optimizer: str, batch_size: int | None) -> None:
        X, Y = data()
        training = replace(TRAINING, optimizer=optimizer, learning_rate=0.01, batch_size=batch_size)
        with passing():
            whole = run_of(NETWORK, training, X, Y, parameters=start(), weights=self.W, threads=2)
            records = list(whole.records())
            first = run_of(NETWORK, replace(training, iterations=5), X, Y, parameters=start(), weights=self.W)
            assert list(first.records()) == records[:6]
            second = run_of(NETWORK, training, X, Y, state=from_bytes(to_bytes(first.state())), weights=self.W)
            assert list(second.records()) == records[6:]
        assert second.parameters.vector.tobytes() == whole.parameters.vector.tobytes()
