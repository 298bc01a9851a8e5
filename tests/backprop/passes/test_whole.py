from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from backprop.gradient import cost_and_gradient
from backprop.network import Layer, Network, Parameters, initial_parameters
from backprop.objective import Objective
from backprop.passes.lanes import computing
from backprop.passes.whole import WholePropagation
from tests.support.networks import Problem, problems_of_all_kinds


@given(problem=problems_of_all_kinds(most_units=8, most_examples=20))
@settings(deadline=None, max_examples=40)
def test_forward_alone_costs_the_same_and_nothing_is_left_behind(problem: Problem) -> None:
    """What a pass uses up of its buffers, the next one fills again."""
    whole = WholePropagation(problem.parameters, problem.X, problem.Y, problem.objective)
    gradient = Parameters.zeros(problem.parameters.network, np.float64)
    with computing():
        first = whole.forward_and_back(gradient)
        bits = gradient.vector.tobytes()
        assert whole.forward() == first[0]
        assert whole.forward_and_back(gradient) == first
        assert gradient.vector.tobytes() == bits


def test_other_examples_count_from_when_they_are_told_of() -> None:
    network = Network(3, (Layer(4, "tanh"), Layer(3, "linear")))
    parameters = initial_parameters(network, init="uniform", seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    X, Y, others, other_targets = rng.normal(size=(4, 6, 3))
    reconstructed = X.copy()
    passes = [
        WholePropagation(parameters, X, Y, Objective()),
        WholePropagation(parameters, reconstructed, reconstructed, Objective()),
    ]
    expected = [cost_and_gradient(parameters, others, targets)[0].data for targets in (other_targets, others)]
    with computing():
        before = [each.forward() for each in passes]
        X[...], Y[...], reconstructed[...] = others, other_targets, others
        assert [each.forward() for each in passes] == before
        for each in passes:
            each.examples_changed()
        assert [each.forward() for each in passes] == expected
