from __future__ import annotations

import math
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
from backprop.codec import from_bytes, to_bytes
from backprop.gradient import cost_and_gradient
from backprop.lanes import Lanes
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.training import Run, Training
from tests.support.networks import Problem, problems

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
    run = Run(problem.parameters.network, training, problem.X, problem.Y, parameters=problem.parameters)
    parameters = problem.parameters.copy()
    for record in run.records():
        np.testing.assert_allclose(run.parameters.vector, parameters.vector, rtol=1e-9, atol=1e-12)
        J = reference.descend(parameters, problem.X, problem.Y, 0.01, training.weight_decay)
        assert math.isclose(record.cost, J, rel_tol=1e-9, abs_tol=1e-13)


def test_record_k_is_j_after_k_updates() -> None:
    X, Y = data()
    run = Run(NETWORK, TRAINING, X, Y, parameters=start())
    records = []
    for record in run.records():
        cost, _ = cost_and_gradient(run.parameters, X, Y, TRAINING.objective())
        assert (record.cost, record.data_cost, record.decay_cost) == (cost.total, cost.data, cost.decay)
        records.append(record)
    assert [record.iteration for record in records] == list(range(13))
    assert all(later.cost < earlier.cost for earlier, later in pairwise(records))


def test_no_iterations_give_the_initial_parameters_and_one_record() -> None:
    X, Y = data()
    run = Run(NETWORK, Training(0), X, Y, parameters=start())
    assert [record.iteration for record in run.records()] == [0]
    assert run.parameters.vector.tobytes() == start().vector.tobytes()


@given(stop=st.integers(0, 12), dtype=st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=20)
def test_a_run_goes_on_from_its_state_with_the_same_bits(stop: int, dtype: str) -> None:
    X, Y = data(dtype=dtype)
    whole = Run(NETWORK, TRAINING, X, Y, parameters=start(dtype))
    expected = list(whole.records())
    first = Run(NETWORK, TRAINING, X, Y, parameters=start(dtype))
    before = list(islice(first.records(), stop + 1))
    second = Run(NETWORK, TRAINING, X, Y, state=from_bytes(to_bytes(first.state())))
    assert before + list(second.records()) == expected
    assert second.parameters.vector.tobytes() == whole.parameters.vector.tobytes()
    for name, array in whole.state().items():
        assert second.state()[name].tobytes() == array.tobytes()


def test_a_state_is_a_copy() -> None:
    X, Y = data()
    run = Run(NETWORK, TRAINING, X, Y, parameters=start())
    records = run.records()
    next(records)
    state = run.state()
    state["parameters"][...] = 7
    assert run.parameters.vector.tobytes() == start().vector.tobytes()
    again = run.state()
    list(records)
    assert again["parameters"].tobytes() == start().vector.tobytes()
    resumed = Run(NETWORK, TRAINING, X, Y, state=again)
    list(resumed.records())
    assert again["parameters"].tobytes() == start().vector.tobytes()


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
        run = Run(network, replace(TRAINING, iterations=4), x, y, parameters=parameters, threads=threads)
        results.append((tuple(run.records()), run.parameters.vector.tobytes()))
    assert len(set(results)) == 1


def test_divergence_is_recorded_and_warns_nobody() -> None:
    network = Network(6, (Layer(5, "relu"), Layer(2, "linear")))
    X, Y = data(dtype="float32")
    parameters = initial_parameters(network, epsilon=1, seed=0, dtype="float32")
    run = Run(network, Training(30, learning_rate=1e6), X, Y, parameters=parameters)
    costs = [record.cost for record in run.records()]
    assert len(costs) == 31
    assert not math.isfinite(costs[-1])


def test_a_run_needs_something_to_start_from_that_fits() -> None:
    X, Y = data()
    with pytest.raises(ValueError, match="parameters or a state"):
        Run(NETWORK, TRAINING, X, Y)
    run = Run(NETWORK, TRAINING, X, Y, parameters=start())
    with pytest.raises(ValueError, match="first record"):
        run.state()
    next(run.records())
    state = run.state()
    for wrong in ({}, {"iteration": state["iteration"]}, {**state, "parameters": np.zeros(3)}):
        with pytest.raises(ValueError, match=r"state|parameters"):
            Run(NETWORK, TRAINING, X, Y, state=wrong)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"iterations": -1}, "iterations"),
        ({"iterations": 1, "learning_rate": 0.0}, "learning_rate"),
        ({"iterations": 1, "learning_rate": math.nan}, "learning_rate"),
        ({"iterations": 1, "weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_trainings_that_make_no_sense_are_refused(values: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Training(**values)
