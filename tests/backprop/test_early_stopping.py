from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.early_stopping import EarlyStopping
from backprop.network import Layer, Network, Parameters
from infra.codec import from_bytes, to_bytes

Array = NDArray[Any]

NETWORK = Network(2, (Layer(1, "tanh"),))

COSTS = st.lists(st.sampled_from((0.0, 0.5, 1.0, 1.5, 2.0, math.nan, math.inf)), min_size=1, max_size=12)
"""Held-out costs of the iterations, with ties, and some that are no numbers."""


def parameters_at(iteration: int) -> Array:
    return np.full(3, iteration / 8)


def observe(stopping: EarlyStopping, parameters: Parameters, costs: list[float], first: int = 0) -> None:
    for iteration, cost in enumerate(costs, start=first):
        parameters.vector[...] = parameters_at(iteration)
        stopping.observe(iteration, cost)


def begun(patience: int, costs: list[float]) -> tuple[EarlyStopping, Parameters]:
    parameters = Parameters(NETWORK, parameters_at(0))
    stopping = EarlyStopping(patience, parameters, {})
    observe(stopping, parameters, costs)
    return stopping, parameters


def first_of_the_lowest(costs: list[float]) -> int:
    """Where the lowest finite cost is; the start, if none is finite."""
    return min(range(len(costs)), key=lambda i: (costs[i] if math.isfinite(costs[i]) else math.inf, i))


@given(COSTS)
def test_the_parameters_of_the_lowest_cost_are_kept(costs: list[float]) -> None:
    stopping, parameters = begun(1, costs)
    best = first_of_the_lowest(costs)
    assert stopping.best_iteration == best
    np.testing.assert_array_equal(stopping.best.vector, parameters_at(best))
    np.testing.assert_array_equal(parameters.vector, parameters_at(len(costs) - 1))


@given(costs=COSTS, patience=st.integers(1, 5))
def test_patience_runs_out_after_so_many_iterations_without_a_new_lowest_cost(
    costs: list[float], patience: int
) -> None:
    stopping, _ = begun(patience, costs)
    since = costs[first_of_the_lowest(costs) + 1 :]
    assert stopping.is_over(len(costs) - 1) == (len(since) >= patience)


@given(costs=COSTS, more=COSTS, patience=st.integers(1, 5))
def test_another_one_goes_on_from_its_state(costs: list[float], more: list[float], patience: int) -> None:
    whole, _ = begun(patience, costs + more)
    first, parameters = begun(patience, costs)
    second = EarlyStopping(patience, parameters, from_bytes(to_bytes(first.state())))
    assert second.is_over(len(costs) - 1) == first.is_over(len(costs) - 1)
    observe(second, parameters, more, first=len(costs))
    assert second.best_iteration == whole.best_iteration
    for name, array in whole.state().items():
        assert second.state()[name].tobytes() == array.tobytes()


def test_a_state_is_a_copy_on_its_way_out_and_in() -> None:
    stopping, parameters = begun(1, [2.0, 1.0])
    state = stopping.state()
    follower = EarlyStopping(1, parameters, state)
    observe(stopping, parameters, [0.5], first=2)
    np.testing.assert_array_equal(state["best_parameters"], parameters_at(1))
    for array in state.values():
        array.fill(7)
    np.testing.assert_array_equal(follower.best.vector, parameters_at(1))
    np.testing.assert_array_equal(stopping.best.vector, parameters_at(2))


@pytest.mark.parametrize("missing", ["best_parameters", "best_cost", "best_iteration"])
def test_a_state_of_something_else_is_refused(missing: str) -> None:
    stopping, parameters = begun(1, [2.0, 1.0])
    state = {name: array for name, array in stopping.state().items() if name != missing}
    with pytest.raises(ValueError, match=missing):
        EarlyStopping(1, parameters, state)
    with pytest.raises(ValueError, match="3 parameters"):
        EarlyStopping(1, parameters, {**stopping.state(), "best_parameters": np.zeros(4)})
