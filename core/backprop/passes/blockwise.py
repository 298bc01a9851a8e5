"""Many examples on their way through the network and back, block after block.

A block goes through while it stays in the processor's cache, in buffers that are allocated once, and threads share the
blocks; see `backprop.passes.lanes` for how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.costs import COST_FUNCTIONS
from backprop.network import Network, Parameters
from backprop.objective import Objective, mean_activations
from backprop.passes.blocks import Block, ForwardWeights, Inputs, Sums
from backprop.passes.lanes import Crew, Lanes

Array = NDArray[Any]

SLICE = 2**14
"""Parameters. The gradients of so many are added up at once, because these fit into the first cache."""


class BlockwisePropagation:
    """Passes all examples through the network, in blocks that threads share.

    Args:
        parameters: read at every pass.
        X: (m, inputs), of the parameters' dtype; never copied, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: what J is.
        crew: the threads that share the work.
        example_weights: w of each example, (m,), likewise; None for ones.
    """

    def __init__(
        self,
        parameters: Parameters,
        X: Array,
        Y: Array,
        objective: Objective,
        crew: Crew,
        example_weights: Array | None = None,
    ) -> None:
        network, dtype = parameters.network, parameters.vector.dtype
        self._parameters = parameters
        self._weights = ForwardWeights(network, dtype)
        self._cost = COST_FUNCTIONS[objective.cost]
        self._crew = crew
        self._examples = _Examples(network, X, Y, example_weights, crew)
        self._one_mth = np.array(1 / self._examples.m, dtype)
        lanes = self._examples.lanes
        self._lane_costs = [0.0] * lanes.count
        self._lane_sums: list[Sums] = []
        self._block_sums: list[Sums] = []
        self._sparsity = _Sparsity(network, dtype, objective, self._examples) if objective.sparsity_weight else None

    def examples_changed(self) -> None:
        """X, Y and the w are read at every pass."""

    def forward(self) -> float:
        """(1/m) Σ w J(W,b;x,y)."""
        self._weights.take(self._parameters)
        self._examples.in_lanes(self._forward)
        return sum(self._lane_costs) / self._examples.m

    def forward_and_back(self, gradient: Parameters) -> tuple[float, float]:
        """(1/m) Σ w J(W,b;x,y) and β Σ KL(ρ‖ρ̂); leaves their gradient in `gradient`."""
        if not self._lane_sums:
            self._allocate_sums()
        self._weights.take(self._parameters)
        sparsity_cost = self._sparsity.evaluate(self._weights) if self._sparsity is not None else 0.0
        self._examples.in_lanes(self._forward_and_back)
        self._add_up_lanes()
        self._lane_sums[0].write_scaled(self._one_mth, gradient)
        return sum(self._lane_costs) / self._examples.m, sparsity_cost

    def _allocate_sums(self) -> None:
        network, dtype = self._parameters.network, self._parameters.vector.dtype
        lanes = self._examples.lanes
        self._lane_sums = [Sums(network, dtype) for _ in range(lanes.count)]
        self._block_sums = [Sums(network, dtype) for _ in range(self._examples.threads if lanes.blocks > 1 else 0)]

    def _forward(self, lane: int, thread: int) -> None:
        """Sum the cost over the blocks of a lane."""
        cost = 0.0
        for block, X, Y, w in self._examples.of(lane, thread):
            block.forward_hidden(self._weights, X)
            cost += block.measure(self._weights, X, Y, w, self._cost)
        self._lane_costs[lane] = cost

    def _forward_and_back(self, lane: int, thread: int) -> None:
        """Sum cost and gradient over the blocks of a lane."""
        sums = self._lane_sums[lane]
        sparsity_deltas = None if self._sparsity is None else self._sparsity.deltas
        cost = 0.0
        for number, (block, X, Y, w) in enumerate(self._examples.of(lane, thread)):
            block.forward_hidden(self._weights, X)
            cost += block.measure(self._weights, X, Y, w, self._cost)
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
        size = self._lane_sums[0].vector.size
        slices = -(-size // SLICE)
        if slices <= self._crew.threads:
            self._add_up_slice(0, stop=size)
        else:
            self._crew.work_through(slices, lambda number, _: self._add_up_slice(number * SLICE, (number + 1) * SLICE))

    def _add_up_slice(self, start: int, stop: int) -> None:
        total = self._lane_sums[0].vector[start:stop]
        for sums in self._lane_sums[1:]:
            np.add(total, sums.vector[start:stop], out=total)


class _Examples:
    """Inputs, targets and weights, in the blocks and lanes that threads share."""

    def __init__(self, network: Network, X: Array, Y: Array, weights: Array | None, crew: Crew) -> None:
        self.m = len(X)
        self._network = network
        self._crew = crew
        self.lanes = Lanes.for_work(self.m, network.sizes, network.parameter_count)
        self.threads = min(crew.threads, self.lanes.count)
        X, Y = np.asarray(X), np.asarray(Y)  # of a memmap the plain array: its slices cost a tenth
        self._stretches = [
            [
                (
                    rows,
                    Inputs.of(network, X[start : start + rows]),
                    Y[start : start + rows],
                    None if weights is None else weights[start : start + rows],
                )
                for start, rows in self.lanes.of(lane)
            ]
            for lane in range(self.lanes.count)
        ]
        self._blocks: list[dict[int, Block]] = [{} for _ in range(self.threads)]

    def in_lanes(self, work: Callable[[int, int], None]) -> None:
        """Call ``work(lane, thread)`` for every lane."""
        self._crew.work_through(self.lanes.count, work)

    def of(self, lane: int, thread: int) -> Iterator[tuple[Block, Inputs, Array, Array | None]]:
        """The blocks of a lane in order: a thread's buffers, the inputs in pieces, the targets and the weights."""
        blocks = self._blocks[thread]
        for rows, X, Y, w in self._stretches[lane]:
            block = blocks.get(rows)
            if block is None:
                block = blocks[rows] = Block(self._network, rows, Y.dtype)
            yield block, X, Y, w


class _Sparsity:
    """The sparsity term, which needs the mean activations ρ̂ over all examples before any δ can be had.

    Attributes:
        deltas: β(−ρ/ρ̂ + (1−ρ)/(1−ρ̂)) for every hidden layer, and a 0 for its column of ones, (s_l + 1,).
    """

    def __init__(self, network: Network, dtype: np.dtype[Any], objective: Objective, examples: _Examples) -> None:
        self.deltas = [np.zeros(layer.units + 1, dtype) for layer in network.layers[:-1]]
        self._objective = objective
        self._examples = examples
        self._sums = [np.zeros((examples.lanes.count, layer.units)) for layer in network.layers[:-1]]

    def evaluate(self, weights: ForwardWeights) -> float:
        """β Σ KL(ρ‖ρ̂) at the current parameters; leaves its part of δ in `deltas`."""
        self._examples.in_lanes(lambda lane, thread: self._pass_lane(weights, lane, thread))
        means = [
            mean_activations(sums.sum(axis=0), self._examples.m, delta.dtype)
            for sums, delta in zip(self._sums, self.deltas, strict=True)
        ]
        for delta, mean in zip(self.deltas, means, strict=True):
            delta[:-1] = self._objective.sparsity_delta(mean, delta.dtype)
        return self._objective.sparsity_cost(means)

    def _pass_lane(self, weights: ForwardWeights, lane: int, thread: int) -> None:
        for sums in self._sums:
            sums[lane] = 0.0
        for block, X, _, _ in self._examples.of(lane, thread):
            block.forward_hidden(weights, X)
            for sums, sum_of_block in zip(self._sums, block.sums_of_hidden(), strict=True):
                sums[lane] += sum_of_block
