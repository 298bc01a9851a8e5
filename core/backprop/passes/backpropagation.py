"""J(W,b) and ∇J(W,b) by backpropagation, fast, on all examples at every evaluation.

The same sums as in `backprop.reference`, for many examples at once: few of them go forward and back as a whole
(`backprop.passes.whole`), many in blocks that threads share (`backprop.passes.blockwise`).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backprop.network import Network, Parameters
from backprop.objective import Cost, Objective
from backprop.passes.blockwise import BlockwisePropagation
from backprop.passes.lanes import Crew, most_uncut
from backprop.passes.protocol import HeldOut
from backprop.passes.whole import WholePropagation

Array = NDArray[Any]


class Propagation(Protocol):
    """Takes examples through the network, forward or forward and back. To be called within `computing`."""

    def examples_changed(self) -> None:
        """There are other examples in the arrays that were given."""

    def forward(self) -> float:
        """(1/m) Σ w J(W,b;x,y)."""

    def forward_and_back(self, gradient: Parameters) -> tuple[float, float]:
        """(1/m) Σ w J(W,b;x,y) and β Σ KL(ρ‖ρ̂); leaves their gradient in `gradient`."""


def _propagation(
    parameters: Parameters, X: Array, Y: Array, objective: Objective, crew: Crew, weights: Array | None
) -> Propagation:
    network = parameters.network
    objective.check(network)
    check_data(network, parameters.vector.dtype, X, Y, weights)
    if len(X) <= most_uncut(network.sizes, network.parameter_count):
        return WholePropagation(parameters, X, Y, objective, weights)
    return BlockwisePropagation(parameters, X, Y, objective, crew, weights)


class DataCost:
    """Evaluates the data term of J on fixed data: a forward pass.

    Args:
        parameters: read at every evaluation.
        X: (m, inputs), of the parameters' dtype and C-contiguous; copied only if it is small, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: which cost.
        crew: the threads that share the work.
        weights: w of each example, (m,), likewise; None for ones.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, or no examples.
    """

    def __init__(
        self,
        parameters: Parameters,
        X: Array,
        Y: Array,
        objective: Objective,
        crew: Crew,
        weights: Array | None = None,
    ) -> None:
        self._propagation = _propagation(parameters, X, Y, objective, crew, weights)

    def evaluate(self) -> float:
        """(1/m) Σ w J(W,b;x,y) at the current parameters. To be called within `computing`."""
        return self._propagation.forward()


class Backpropagation:
    """The pass that evaluates J and ∇J on the same examples every time, in buffers that are allocated once.

    Args:
        parameters: read at every evaluation.
        gradient: written by every evaluation.
        X: (m, inputs), of the parameters' dtype and C-contiguous; copied only if it is small, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: what J is.
        crew: the threads that share the work.
        held_out: measures J of the held-out examples, if there are any.
        weights: w of each example, (m,), likewise; None for ones.

    Attributes:
        parameters: those that were given.
        vector: all of them, (n,).
        gradient: ∇J at the last evaluation, (n,).
        evaluations: how many there have been.
        held_out: what was given.
        updates_per_epoch: 1.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, or no examples.
    """

    def __init__(
        self,
        parameters: Parameters,
        gradient: Parameters,
        X: Array,
        Y: Array,
        objective: Objective,
        crew: Crew,
        held_out: HeldOut | None = None,
        weights: Array | None = None,
    ) -> None:
        self.evaluations = 0
        self.updates_per_epoch = 1
        self.held_out = held_out
        self.parameters = parameters
        self.vector = parameters.vector
        self.gradient = gradient.vector
        self._gradient = gradient
        self._propagation = _propagation(parameters, X, Y, objective, crew, weights)
        network, dtype = parameters.network, parameters.vector.dtype
        self._decay = _decay(network, dtype, objective.weight_decay) if objective.weight_decay else None
        self._decayed = np.empty_like(parameters.vector)

    def examples_changed(self) -> None:
        """Tell that there are other examples in X, Y and the weights."""
        self._propagation.examples_changed()

    def evaluate(self) -> Cost:
        """J at the current parameters; leaves ∇J in the gradient. To be called within `computing`."""
        self.evaluations += 1
        data_cost, sparsity_cost = self._propagation.forward_and_back(self._gradient)
        return Cost(data_cost, self._add_decay(), sparsity_cost)

    def _add_decay(self) -> float:
        """Add λW to the gradient; gives (λ/2) Σ W²."""
        if self._decay is None:
            return 0.0
        np.multiply(self._decay, self.vector, self._decayed)
        np.add(self.gradient, self._decayed, self.gradient)
        return 0.5 * float(np.dot(self._decayed, self.vector))


def _decay(network: Network, dtype: np.dtype[Any], weight_decay: float) -> Array:
    """λ for every weight and 0 for every bias, in the order of the parameters' vector."""
    decay = Parameters.zeros(network, dtype)
    for W in decay.W:
        W[...] = weight_decay
    return decay.vector


def check_data(network: Network, dtype: np.dtype[Any], X: Array, Y: Array, weights: Array | None) -> None:
    """Refuse (with ValueError) data that do not fit the network or its parameters' dtype, or no examples."""
    if X.ndim != 2 or X.shape[1] != network.inputs or len(X) == 0:
        raise ValueError(f"X should be (m, {network.inputs}) with m ≥ 1, not {X.shape}")
    if Y.shape != (len(X), network.outputs):
        raise ValueError(f"Y should be {(len(X), network.outputs)}, not {Y.shape}")
    for name, array in (("X", X), ("Y", Y)):
        if array.dtype != dtype or not array.flags.c_contiguous:
            raise ValueError(f"{name} should be C-contiguous and of the parameters' {dtype}, not {array.dtype}")
    if weights is not None and (weights.shape != (len(X),) or weights.dtype != dtype):
        raise ValueError(f"the weights should be {(len(X),)} of {dtype}, not {weights.shape} of {weights.dtype}")
