"""J(W,b) and ∇J(W,b) by backpropagation, fast.

The same sums as in `backprop.reference`, for many examples at once: a block of examples goes forward and backward
through matrix products while it stays in the processor's cache, in buffers that are allocated once. Inputs, outputs and
targets have a row for each example, as the data have. Hidden layers have a row for each unit, which keeps the long
axis innermost however few units there are, and one more row of ones below: multiplied by [W | b] it adds the bias, and
in δ aᵀ it gives ∇b beside ∇W.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS
from backprop.costs import COST_FUNCTIONS
from backprop.lanes import MOST_LANES, Crew, Lanes, single_threaded_blas
from backprop.network import Network, Parameters

Array = NDArray[Any]

BLOCK_ROWS = 1024
"""Most rows of a block."""

SMALL_WORK = 2**22
"""Examples × parameters below which one thread is done before a second has woken up."""


class Cost(NamedTuple):
    """J(W,b) and the terms it is the sum of."""

    data: float
    decay: float

    @property
    def total(self) -> float:
        """J(W,b)."""
        return self.data + self.decay


@dataclass(frozen=True)
class Objective:
    """What is minimised: J(W,b) = (1/m) Σ J(W,b;x,y) + (λ/2) Σ W².

    Attributes:
        cost: name of J(W,b;x,y).
        weight_decay: λ. Biases are not decayed.

    Raises:
        ValueError: no such cost, or λ is negative or not finite.
    """

    cost: str = "squared_error"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.cost not in COST_FUNCTIONS:
            raise ValueError(f"the cost is one of {', '.join(COST_FUNCTIONS)}, not {self.cost!r}")
        if not 0 <= self.weight_decay < np.inf:
            raise ValueError(f"weight_decay is a number from 0 up, not {self.weight_decay}")


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
        ValueError: shapes or dtypes that do not fit, or no examples.
    """
    gradient = Parameters.zeros(parameters.network, parameters.vector.dtype)
    backpropagation = Backpropagation(parameters, gradient, X, Y, objective or Objective(), Crew(threads))
    with single_threaded_blas():
        return backpropagation.evaluate(), gradient


class Backpropagation:
    """Evaluates J and ∇J on fixed data, as often as wanted, without allocating anything anew.

    Args:
        parameters: read at every evaluation.
        gradient: written by every evaluation.
        X: (m, inputs), of the parameters' dtype and C-contiguous; never copied as a whole, so it may be mapped.
        Y: (m, outputs), likewise.
        objective: what J is.
        crew: the threads that share the work.

    Raises:
        ValueError: shapes or dtypes that do not fit, or no examples.
    """

    def __init__(
        self, parameters: Parameters, gradient: Parameters, X: Array, Y: Array, objective: Objective, crew: Crew
    ) -> None:
        network = parameters.network
        _check_data(network, parameters.vector.dtype, X, Y)
        self._parameters = parameters
        self._gradient = gradient
        self._X = np.asarray(X)  # of a memmap the plain array: its slices cost a tenth
        self._Y = np.asarray(Y)
        self._crew = crew
        self._measure = COST_FUNCTIONS[objective.cost].measure
        self._m = len(X)
        dtype = parameters.vector.dtype
        self._one_mth = np.array(1 / self._m, dtype)
        self._decay = _decay(network, dtype, objective.weight_decay) if objective.weight_decay else None
        self._decayed = np.empty_like(parameters.vector)
        self._lanes = _lanes(network, self._m)
        self._lane_costs = [0.0] * self._lanes.count
        self._lane_sums, self._lane_gradients = self._gradients_of_lanes()
        self._workspaces = [
            _Workspace(network, self._lanes, dtype) for _ in range(min(crew.threads, self._lanes.count))
        ]

    def _gradients_of_lanes(self) -> tuple[Array | None, list[Parameters]]:
        if self._lanes.count == 1:
            return None, [self._gradient]
        sums = np.empty((self._lanes.count, self._gradient.vector.size), self._gradient.vector.dtype)
        return sums, [Parameters(self._gradient.network, vector) for vector in sums]

    def evaluate(self) -> Cost:
        """J at the current parameters; leaves ∇J in the gradient. To be called within `single_threaded_blas`."""
        with np.errstate(all="ignore"):
            self._crew.work_through(self._lanes.count, self._pass_lane)
            gradient = self._gradient.vector
            if self._lane_sums is not None:
                np.add.reduce(self._lane_sums, axis=0, out=gradient)
            np.multiply(gradient, self._one_mth, out=gradient)
            return Cost(sum(self._lane_costs) / self._m, self._add_decay(gradient))

    def _add_decay(self, gradient: Array) -> float:
        """Add λW to the gradient; gives (λ/2) Σ W²."""
        if self._decay is None:
            return 0.0
        theta = self._parameters.vector
        np.multiply(self._decay, theta, out=self._decayed)
        np.add(gradient, self._decayed, out=gradient)
        return 0.5 * float(np.dot(self._decayed, theta))

    def _pass_lane(self, lane: int, thread: int) -> None:
        """Sum cost and gradient over the blocks of a lane."""
        workspace = self._workspaces[thread]
        total = self._lane_gradients[lane]
        cost = 0.0
        with np.errstate(all="ignore"):  # each thread has its own
            for number, (start, stop) in enumerate(self._lanes.of(lane)):
                block = workspace.blocks[stop - start]
                X = self._X[start:stop]
                block.forward(self._parameters, X)
                cost += self._measure(
                    block.output_activation, block.output, self._Y[start:stop], block.output_delta, block.output_scratch
                )
                if number == 0:
                    block.backward(self._parameters, X, total)
                else:
                    block.backward(self._parameters, X, workspace.gradient)
                    np.add(total.vector, workspace.gradient.vector, out=total.vector)
        self._lane_costs[lane] = cost


class _Workspace:
    """The buffers of one thread."""

    def __init__(self, network: Network, lanes: Lanes, dtype: np.dtype[Any]) -> None:
        self.blocks = {rows: _Block(network, rows, dtype) for rows in lanes.row_counts}
        self.gradient = Parameters.zeros(network, dtype)


class _Block:
    """Forward and backward pass of a block of examples, in buffers of its own.

    Attributes:
        output: z and then a of the output layer, (rows, outputs).
        output_delta: δ of the output layer, likewise; `output_scratch` likewise.
        output_activation: f of the output layer.
    """

    def __init__(self, network: Network, rows: int, dtype: np.dtype[Any]) -> None:
        hidden = network.layers[:-1]
        self.output_activation = ACTIVATIONS[network.layers[-1].activation]
        self.output = np.empty((rows, network.outputs), dtype)
        self.output_delta = np.empty_like(self.output)
        self.output_scratch = np.empty_like(self.output)
        self._output_delta_by_unit = self.output_delta.T
        self._f = [ACTIVATIONS[layer.activation] for layer in hidden]
        self._with_ones = [np.ones((layer.units + 1, rows), dtype) for layer in hidden]
        self._with_ones_by_row = [a.T for a in self._with_ones]
        self._a = [a[:-1] for a in self._with_ones]
        self._delta = [np.empty((layer.units, rows), dtype) for layer in hidden]
        self._scratch = [np.empty((layer.units, rows), dtype) for layer in hidden]

    def forward(self, parameters: Parameters, X: Array) -> None:
        """z(2), a(2), …, z of the output layer: its activation is left to the cost function."""
        if not self._a:
            np.matmul(X, parameters.W[0].T, out=self.output)
            np.add(self.output, parameters.b[0], out=self.output)
            return
        np.matmul(parameters.W[0], X.T, out=self._a[0])
        np.add(self._a[0], parameters.b[0][:, np.newaxis], out=self._a[0])
        self._f[0].apply(self._a[0])
        for layer in range(1, len(self._a)):
            np.matmul(parameters.Wb[layer], self._with_ones[layer - 1], out=self._a[layer])
            self._f[layer].apply(self._a[layer])
        np.matmul(self._with_ones_by_row[-1], parameters.Wb[-1].T, out=self.output)

    def backward(self, parameters: Parameters, X: Array, gradient: Parameters) -> None:
        """From δ of the output layer to every ∇W = δ(l+1) a(l)ᵀ and ∇b = Σ δ(l+1), written to `gradient`."""
        delta = self._output_delta_by_unit
        for layer in range(len(self._a), 0, -1):
            np.matmul(delta, self._with_ones_by_row[layer - 1], out=gradient.Wb[layer])
            np.matmul(parameters.W[layer].T, delta, out=self._delta[layer - 1])
            delta = self._delta[layer - 1]
            self._f[layer - 1].times_derivative(delta, self._a[layer - 1], self._scratch[layer - 1])
        np.matmul(delta, X, out=gradient.W[0])
        np.add.reduce(delta, axis=1, out=gradient.b[0])


def _lanes(network: Network, m: int) -> Lanes:
    """How m examples are cut: from the work alone, never from the number of threads."""
    blocks = -(-m // BLOCK_ROWS)
    if m * network.parameter_count < SMALL_WORK:
        return Lanes(m, 1, blocks)
    count = min(m, MOST_LANES)
    return Lanes(m, count, -(-blocks // count))


def _decay(network: Network, dtype: np.dtype[Any], weight_decay: float) -> Array:
    """λ for every weight and 0 for every bias, in the order of the parameters' vector."""
    decay = Parameters.zeros(network, dtype)
    for W in decay.W:
        W[...] = weight_decay
    return decay.vector


def _check_data(network: Network, dtype: np.dtype[Any], X: Array, Y: Array) -> None:
    if X.ndim != 2 or X.shape[1] != network.inputs or len(X) == 0:
        raise ValueError(f"X should be (m, {network.inputs}) with m ≥ 1, not {X.shape}")
    if Y.shape != (len(X), network.outputs):
        raise ValueError(f"Y should be {(len(X), network.outputs)}, not {Y.shape}")
    for name, array in (("X", X), ("Y", Y)):
        if array.dtype != dtype or not array.flags.c_contiguous:
            raise ValueError(f"{name} should be C-contiguous and of the parameters' {dtype}, not {array.dtype}")
