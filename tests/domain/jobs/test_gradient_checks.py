from __future__ import annotations

import numpy as np
import pytest

from backprop.network import Layer, Network, initial_parameters
from backprop.objective import Objective
from backprop_client.wire.gradient_checks import GradientCheckResult
from domain.jobs.gradient_checks import FEWEST, MOST_EXAMPLES, MOST_PARAMETERS, MOST_WORK, check, sample_size


def network(*sizes: int) -> Network:
    return Network(sizes[0], tuple(Layer(units, "sigmoid") for units in sizes[1:]))


@pytest.mark.parametrize("sizes", [(1, 1), (30, 16, 1), (64, 25, 64), (784, 100, 10), (784, 512, 512, 10)])
def test_the_sample_bounds_the_work_of_a_check(sizes: tuple[int, ...]) -> None:
    parameters, examples = sample_size(network(*sizes))
    assert FEWEST <= parameters <= MOST_PARAMETERS
    assert FEWEST <= examples <= MOST_EXAMPLES
    checked = min(parameters, network(*sizes).parameter_count)
    assert 6 * checked * examples * network(*sizes).parameter_count <= MOST_WORK


def test_small_networks_are_checked_on_all_that_the_limits_allow() -> None:
    assert sample_size(network(30, 16, 1)) == (MOST_PARAMETERS, MOST_EXAMPLES)


def test_the_largest_networks_are_still_checked_on_a_few() -> None:
    assert sample_size(network(4000, 4000, 1000)) == (FEWEST, FEWEST)


def test_a_check_says_what_it_is_of_and_survives_the_database() -> None:
    net = network(300, 40, 3)
    rng = np.random.default_rng(0)
    X, Y = rng.uniform(size=(50, 300)).astype(np.float32), rng.uniform(size=(50, 3)).astype(np.float32)
    result = check(initial_parameters(net, seed=0, dtype="float32"), X, Y, Objective(weight_decay=0.1), seed=5)
    assert result.relative_difference < 1e-8
    assert (result.parameters, result.examples, result.seed, result.epsilon) == (sample_size(net)[0], 50, 5, 1e-4)
    assert len(result.worst.index) == (2 if result.worst.kind == "W" else 1)
    assert GradientCheckResult.model_validate(result.model_dump(mode="json")) == result


def test_what_is_no_number_cannot_be_checked() -> None:
    net = Network(1, (Layer(1, "linear"),))
    parameters = initial_parameters(net, seed=0, dtype="float64")
    parameters.vector[...] = 1e200
    with pytest.raises(FloatingPointError, match="no finite"):
        check(parameters, np.full((2, 1), 1e200), np.zeros((2, 1)), Objective(), seed=0)
