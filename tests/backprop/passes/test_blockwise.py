from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from backprop.network import Parameters
from backprop.passes.blockwise import BlockwisePropagation
from backprop.passes.lanes import Crew, computing
from tests.support.networks import Problem, problems_of_all_kinds
from tests.support.passes import in_blocks


@pytest.mark.parametrize("threads", [1, 2])
@given(problem=problems_of_all_kinds(most_units=8, most_examples=40))
@settings(deadline=None, max_examples=30)
def test_forward_alone_costs_the_same_and_nothing_is_left_behind(threads: int, problem: Problem) -> None:
    """What a pass uses up of its buffers, the next one fills again; it reads the examples where they are."""
    X, Y = problem.X, problem.Y
    X.flags.writeable = Y.flags.writeable = False
    gradient = Parameters.zeros(problem.parameters.network, np.float64)
    with in_blocks(), computing():
        blockwise = BlockwisePropagation(problem.parameters, X, Y, problem.objective, Crew(threads))
        first = blockwise.forward_and_back(gradient)
        bits = gradient.vector.tobytes()
        assert blockwise.forward() == first[0]
        assert blockwise.forward_and_back(gradient) == first
        assert gradient.vector.tobytes() == bits
