"""J(W,b) and ∇J(W,b) at some parameters, once."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from backprop.network import Parameters
from backprop.objective import Cost, Objective
from backprop.passes.backpropagation import Backpropagation
from backprop.passes.lanes import Crew, computing
from backprop.passes.weighting import of_mean_one

Array = NDArray[Any]


def cost_and_gradient(
    parameters: Parameters,
    X: Array,
    Y: Array,
    objective: Objective | None = None,
    *,
    threads: int = 1,
    weights: Array | None = None,
) -> tuple[Cost, Parameters]:
    """J and ∇J at some parameters, once. To evaluate again and again, make one `Backpropagation`.

    Args:
        parameters: where.
        X: (m, inputs), of the parameters' dtype.
        Y: (m, outputs), likewise.
        objective: what J is; squared error without decay if not given.
        threads: at most so many; the result does not depend on it.
        weights: how much each example counts in J, (m,); only their ratios matter. None: all alike.

    Returns:
        J, and the gradient in the shape of the parameters.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, or no examples.
    """
    gradient = Parameters.zeros(parameters.network, parameters.vector.dtype)
    w = None if weights is None else of_mean_one(weights, len(X), X.dtype)
    crew = Crew(threads)
    backpropagation = Backpropagation(parameters, gradient, X, Y, objective or Objective(), crew, weights=w)
    with computing():
        return backpropagation.evaluate(), gradient
