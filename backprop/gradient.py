"""J(W,b) and ∇J(W,b) by backpropagation, fast.

The same sums as in `backprop.reference`, for many examples at once: block after block goes forward and backward while
it stays in the processor's cache, in buffers that are allocated once, and threads share the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.blocks import Block, ForwardWeights, Sums
from backprop.costs import COST_FUNCTIONS
from backprop.lanes import Crew, Lanes, Stretch, computing
from backprop.network import Network, Parameters
from backprop.objective import Cost, Objective

Array = NDArray[Any]

SLICE = 2**14
"""Parameters whose gradients are added up at once: few enough for the first cache."""


def cost_and_gradient(
    parameters: Parameters, X: Array, Y: Array, objective: Objective | None = None, *, threads: int = 1
) -> tuple[Cost, Parameters]:
    """J and ∇J at some parameters, once. To evaluate again and again, make one `Backpropagation`.

    Args:
        parameters: where.
        X: (m, inputs), of the parameters' dtype.
        Y: (m, outputs), likewise.
        objective: what J is; squared error without decay if not given.
        threads: at most so many; the result does not depend on it.

    Returns:
        J, and the gradient in the shape of the parameters.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, or no examples.
    """
    gradient = Parameters.zeros(parameters.network, parameters.vector.dtype)
    backpropagation = Backpropagation(parameters, gradient, X, Y, objective or Objective(), Crew(threads))
    with computing():
        return backpropagation.evaluate(), gradient


class _Examples:
    """Inputs and targets, in the blocks and lanes that threads share."""

    def __init__(self, parameters: Parameters, X: Array, Y: Array, crew: Crew) -> None:
        network = parameters.network
        check_data(network, parameters.vector.dtype, X, Y)
        self.m = len(X)
        self._network = network
        self._crew = crew
        self.lanes = Lanes.for_work(self.m, network.sizes, network.parameter_count)
        self.threads = min(crew.threads, self.lanes.count)
        X, Y = np.asarray(X), np.asarray(Y)  # of a memmap the plain array: its slices cost a tenth
        self._stretches = [
            [_rows_of(X, Y, stretch) for stretch in self.lanes.of(lane)] for lane in range(self.lanes.count)
        ]
        self._blocks: list[dict[tuple[int, int], Block]] = [{} for _ in range(self.threads)]

    def in_lanes(self, work: Callable[[int, int], None]) -> None:
        """Call ``work(lane, thread)`` for every lane."""
        self._crew.work_through(self.lanes.count, work)

    def of(self, lane: int, thread: int) -> Iterator[tuple[Block, Array, Array]]:
        """The blocks of a lane in order: a thread's buffers, the inputs in pieces, and the targets."""
        blocks = self._blocks[thread]
        for shape, X, Y in self._stretches[lane]:
            block = blocks.get(shape)
            if block is None:
                block = blocks[shape] = Block(self._network, *shape, X.dtype)
            yield block, X, Y


def _rows_of(X: Array, Y: Array, stretch: Stretch) -> tuple[tuple[int, int], Array, Array]:
    """The shape of a block, and views of its inputs, (pieces, rows, s_1), and targets, (pieces · rows, outputs)."""
    start, pieces, rows = stretch
    stop = start + pieces * rows
    return (pieces, rows), X[start:stop].reshape(pieces, rows, X.shape[1]), Y[start:stop]


class DataCost:
    """Evaluates the data term of J on fixed data: a forward pass.

    Args:
        parameters: read at every evaluation.
        X: (m, inputs), of the parameters' dtype and C-contiguous; never copied as a whole, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: which cost.
        crew: the threads that share the work.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network, or no examples.
    """

    def __init__(self, parameters: Parameters, X: Array, Y: Array, objective: Objective, crew: Crew) -> None:
        objective.check(parameters.network)
        self._parameters = parameters
        self._weights = ForwardWeights(parameters.network, parameters.vector.dtype)
        self._cost = COST_FUNCTIONS[objective.cost]
        self._examples = _Examples(parameters, X, Y, crew)
        self._lane_costs = [0.0] * self._examples.lanes.count

    def evaluate(self) -> float:
        """(1/m) Σ J(W,b;x,y) at the current parameters. To be called within `computing`."""
        self._weights.take(self._parameters)
        self._examples.in_lanes(self._pass_lane)
        return sum(self._lane_costs) / self._examples.m

    def _pass_lane(self, lane: int, thread: int) -> None:
        cost = 0.0
        for block, X, Y in self._examples.of(lane, thread):
            block.forward_hidden(self._weights, X)
            cost += block.measure(self._weights, X, Y, self._cost)
        self._lane_costs[lane] = cost


class Backpropagation:
    """Evaluates J and ∇J on fixed data, as often as wanted, in buffers that are allocated once.

    Args:
        parameters: read at every evaluation.
        gradient: written by every evaluation.
        X: (m, inputs), of the parameters' dtype and C-contiguous; never copied as a whole, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: what J is.
        crew: the threads that share the work.
        evaluations: where to begin to count.

    Attributes:
        evaluations: how many there have been.

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
        evaluations: int = 0,
    ) -> None:
        self.evaluations = evaluations
        network = parameters.network
        dtype = parameters.vector.dtype
        objective.check(network)
        self._parameters = parameters
        self._weights = ForwardWeights(network, dtype)
        self._gradient = gradient
        self._cost = COST_FUNCTIONS[objective.cost]
        self._crew = crew
        self._examples = _Examples(parameters, X, Y, crew)
        self._one_mth = np.array(1 / self._examples.m, dtype)
        self._decay = _decay(network, dtype, objective.weight_decay) if objective.weight_decay else None
        self._decayed = np.empty_like(parameters.vector)
        lanes = self._examples.lanes
        self._lane_costs = [0.0] * lanes.count
        self._lane_sums = [Sums(network, dtype) for _ in range(lanes.count)]
        self._sparsity = _Sparsity(parameters, objective, self._examples) if objective.sparsity_weight else None
        self._block_sums = [Sums(network, dtype) for _ in range(self._examples.threads if lanes.blocks > 1 else 0)]

    @property
    def vector(self) -> Array:
        """The parameters, (n,)."""
        return self._parameters.vector

    @property
    def gradient(self) -> Array:
        """∇J at the last evaluation, (n,)."""
        return self._gradient.vector

    def evaluate(self) -> Cost:
        """J at the current parameters; leaves ∇J in the gradient. To be called within `computing`."""
        self.evaluations += 1
        self._weights.take(self._parameters)
        sparsity_cost = self._sparsity.evaluate(self._weights) if self._sparsity is not None else 0.0
        self._examples.in_lanes(self._pass_lane)
        self._add_up_lanes()
        self._lane_sums[0].write_scaled(self._one_mth, self._gradient)
        return Cost(sum(self._lane_costs) / self._examples.m, self._add_decay(), sparsity_cost)

    def _pass_lane(self, lane: int, thread: int) -> None:
        """Sum cost and gradient over the blocks of a lane."""
        sums = self._lane_sums[lane]
        sparsity_deltas = None if self._sparsity is None else self._sparsity.deltas
        cost = 0.0
        for number, (block, X, Y) in enumerate(self._examples.of(lane, thread)):
            block.forward_hidden(self._weights, X)
            cost += block.measure(self._weights, X, Y, self._cost)
            if number == 0:
                block.backward(self._parameters, X, sums, sparsity_deltas)
            else:
                block.backward(self._parameters, X, self._block_sums[thread], sparsity_deltas)
                np.add(sums.vector, self._block_sums[thread].vector, out=sums.vector)
        self._lane_costs[lane] = cost

    def _add_up_lanes(self) -> None:
        """Add the sums of all lanes to those of the first."""
        if len(self._lane_sums) == 1:
            return
        size = self._gradient.vector.size
        slices = -(-size // SLICE)
        if slices <= self._crew.threads:
            self._add_up_slice(0, stop=size)
        else:
            self._crew.work_through(slices, lambda number, _: self._add_up_slice(number * SLICE, (number + 1) * SLICE))

    def _add_up_slice(self, start: int, stop: int) -> None:
        total = self._lane_sums[0].vector[start:stop]
        for sums in self._lane_sums[1:]:
            np.add(total, sums.vector[start:stop], out=total)

    def _add_decay(self) -> float:
        """Add λW to the gradient; gives (λ/2) Σ W²."""
        if self._decay is None:
            return 0.0
        gradient, theta = self._gradient.vector, self._parameters.vector
        np.multiply(self._decay, theta, out=self._decayed)
        np.add(gradient, self._decayed, out=gradient)
        return 0.5 * float(np.dot(self._decayed, theta))


class _Sparsity:
    """The sparsity term, which needs the mean activations ρ̂ over all examples before any δ can be had.

    Attributes:
        deltas: β(−ρ/ρ̂ + (1−ρ)/(1−ρ̂)) for every hidden layer, and a 0 for its column of ones, (s_l + 1,).
    """

    def __init__(self, parameters: Parameters, objective: Objective, examples: _Examples) -> None:
        self.deltas = [np.zeros(layer.units + 1, parameters.vector.dtype) for layer in parameters.network.layers[:-1]]
        self._objective = objective
        self._examples = examples
        self._sums = [np.zeros((examples.lanes.count, layer.units)) for layer in parameters.network.layers[:-1]]

    def evaluate(self, weights: ForwardWeights) -> float:
        """β Σ KL(ρ‖ρ̂) at the current parameters; leaves its part of δ in `deltas`."""
        self._examples.in_lanes(lambda lane, thread: self._pass_lane(weights, lane, thread))
        means: list[Array] = [sums.sum(axis=0) / self._examples.m for sums in self._sums]
        for delta, mean in zip(self.deltas, means, strict=True):
            delta[:-1] = self._objective.sparsity_delta(mean)
        return self._objective.sparsity_cost(means)

    def _pass_lane(self, weights: ForwardWeights, lane: int, thread: int) -> None:
        for sums in self._sums:
            sums[lane] = 0.0
        for block, X, _ in self._examples.of(lane, thread):
            block.forward_hidden(weights, X)
            for sums, sum_of_block in zip(self._sums, block.sums_of_hidden(), strict=True):
                sums[lane] += sum_of_block


def _decay(network: Network, dtype: np.dtype[Any], weight_decay: float) -> Array:
    """λ for every weight and 0 for every bias, in the order of the parameters' vector."""
    decay = Parameters.zeros(network, dtype)
    for W in decay.W:
        W[...] = weight_decay
    return decay.vector


def check_data(network: Network, dtype: np.dtype[Any], X: Array, Y: Array) -> None:
    """Refuse (with ValueError) data that do not fit the network or its parameters' dtype, or no examples."""
    if X.ndim != 2 or X.shape[1] != network.inputs or len(X) == 0:
        raise ValueError(f"X should be (m, {network.inputs}) with m ≥ 1, not {X.shape}")
    if Y.shape != (len(X), network.outputs):
        raise ValueError(f"Y should be {(len(X), network.outputs)}, not {Y.shape}")
    for name, array in (("X", X), ("Y", Y)):
        if array.dtype != dtype or not array.flags.c_contiguous:
            raise ValueError(f"{name} should be C-contiguous and of the parameters' {dtype}, not {array.dtype}")
