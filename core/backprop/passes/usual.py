"""The pass of examples that are all on this machine."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from backprop.network import Network, Parameters
from backprop.objective import Objective
from backprop.passes.backpropagation import Backpropagation, DataCost
from backprop.passes.batches import MiniBatches
from backprop.passes.lanes import Crew
from backprop.passes.protocol import Pass
from backprop.passes.weighting import of_mean_one

Array = NDArray[Any]


def usual_pass(
    network: Network,
    X: Array,
    Y: Array,
    objective: Objective,
    *,
    batch_size: int | None = None,
    seed: int = 0,
    threads: int = 1,
    X_held: Array | None = None,
    Y_held: Array | None = None,
    weights: Array | None = None,
    weights_held: Array | None = None,
) -> Pass:
    """A pass of arrays through a network whose parameters have the arrays' dtype, and are 0 until a run sets them.

    Args:
        network: what is trained.
        X: (m, inputs), float32 or float64, C-contiguous, in memory or mapped; never copied as a whole unless small.
        Y: (m, outputs), likewise, of the same dtype; the same object as X for a reconstruction.
        objective: what J is.
        batch_size: examples of a mini-batch; None, or m or more, for all of them at every evaluation.
        seed: of the order in which mini-batches take the examples.
        threads: at most so many; nothing but the time depends on it.
        X_held: (m′, inputs), the examples held out, if any.
        Y_held: (m′, outputs), likewise.
        weights: how much each example counts in J, (m,), of any number type; only their ratios matter. None: all alike.
        weights_held: likewise of the examples held out, (m′,).

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, no examples, or weights that are
            negative, not finite or all 0.
    """
    parameters, gradient = Parameters.zeros(network, X.dtype), Parameters.zeros(network, X.dtype)
    crew = Crew(threads)
    held_out = None
    if X_held is not None and Y_held is not None:
        w_held = None if weights_held is None else of_mean_one(weights_held, len(X_held), X.dtype)
        held_out = DataCost(parameters, X_held, Y_held, objective, crew, w_held)
    w = None if weights is None else of_mean_one(weights, len(X), X.dtype)
    if batch_size is None or batch_size >= len(X):
        return Backpropagation(parameters, gradient, X, Y, objective, crew, held_out, w)
    return MiniBatches(
        parameters, gradient, X, Y, objective, crew, size=batch_size, seed=seed, held_out=held_out, weights=w
    )
