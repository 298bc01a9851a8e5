"""Few examples on their way through the network and back, all at once.

Where an iteration takes some ten microseconds, what counts is how many NumPy calls it makes. So everything here has a
row for each unit and a column for each example. The input 1 of each example, whose weight is the bias, is one more row.
A product goes straight to its place in the gradient. What is done with each unit goes through memory from end to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS
from backprop.costs import COST_FUNCTIONS
from backprop.network import Layer, Parameters
from backprop.objective import Objective, mean_activations

Array = NDArray[Any]


class WholePropagation:
    """Passes all examples through the network, in buffers that are allocated once.

    What is in them is used up on the way.

    Args:
        parameters: read at every pass.
        X: (m, inputs), of the parameters' dtype; copied.
        Y: (m, outputs), likewise.
        objective: what J is.
        weights: w of each example, (m,), likewise, but read at every pass; None for ones.
    """

    def __init__(
        self, parameters: Parameters, X: Array, Y: Array, objective: Objective, weights: Array | None = None
    ) -> None:
        network, dtype = parameters.network, parameters.vector.dtype
        self._m = len(X)
        self._X, self._Y = X, Y
        self._weights = weights
        self._objective = objective
        self._parameters = parameters
        # [W | b], times what the activation wants z to be multiplied by.
        self._scaled = Parameters.zeros(network, dtype)
        self._scales = _scales(parameters)
        self._X_and_ones = np.ones((network.inputs + 1, self._m), dtype)
        self._inputs = self._X_and_ones[:-1]
        self._hidden = [_HiddenLayer(layer, self._m, dtype) for layer in network.layers[:-1]]
        self._output = np.empty((network.outputs, self._m), dtype)
        self._output_delta = np.empty_like(self._output)
        self._output_f = ACTIVATIONS[network.layers[-1].activation]
        self._targets = self._inputs if Y is X else np.empty_like(self._output)
        self._measure = COST_FUNCTIONS[objective.cost].measure
        self._ones = np.ones(self._m, dtype)
        self._one_mth = np.array(1 / self._m, dtype)
        self.examples_changed()

    def examples_changed(self) -> None:
        """Copy X and Y again: there are other examples in them now."""
        self._inputs[...] = self._X.T
        if self._targets is not self._inputs:
            self._targets[...] = self._Y.T

    def forward(self) -> float:
        """(1/m) Σ w J(W,b;x,y)."""
        return self._measure_outputs(self._forward_hidden()) / self._m

    def forward_and_back(self, gradient: Parameters) -> tuple[float, float]:
        """(1/m) Σ w J(W,b;x,y) and β Σ KL(ρ‖ρ̂); leaves their gradient in `gradient`."""
        a = self._forward_hidden()
        sparsity_cost = self._measure_sparsity() if self._objective.sparsity_weight else 0.0
        cost = self._measure_outputs(a)
        delta = self._output_delta
        for l in range(len(self._hidden) - 1, -1, -1):  # noqa: E741  # the page's letter
            layer = self._hidden[l]
            np.dot(delta, layer.a_and_ones.T, gradient.Wb[l + 1])
            np.dot(self._parameters.W[l + 1].T, delta, layer.delta)
            if layer.sparsity_delta is not None:
                np.add(layer.delta, layer.sparsity_delta, layer.delta)
            layer.f.times_derivative(layer.delta, layer.a)
            delta = layer.delta
        np.dot(delta, self._X_and_ones.T, gradient.Wb[0])
        np.multiply(gradient.vector, self._one_mth, gradient.vector)
        return cost / self._m, sparsity_cost

    def _forward_hidden(self) -> Array:
        """a(2), a(3), … of the hidden layers; gives what the output layer gets to see."""
        np.multiply(self._parameters.vector, self._scales, self._scaled.vector)
        a = self._X_and_ones
        for layer, Wb in zip(self._hidden, self._scaled.Wb, strict=False):
            np.dot(Wb, a, layer.a)
            layer.f.apply(layer.a)
            a = layer.a_and_ones
        return a

    def _measure_outputs(self, a: Array) -> float:
        """Σ w J(W,b;x,y); leaves w δ of the output layer."""
        np.dot(self._scaled.Wb[-1], a, self._output)
        return self._measure(self._output_f, self._output.T, self._targets.T, self._output_delta.T, self._weights)

    def _measure_sparsity(self) -> float:
        """β Σ KL(ρ‖ρ̂); leaves what every hidden δ gets in addition."""
        dtype = self._ones.dtype
        means = [mean_activations(np.dot(layer.a, self._ones), self._m, dtype) for layer in self._hidden]
        for layer, mean in zip(self._hidden, means, strict=True):
            layer.sparsity_delta = self._objective.sparsity_delta(mean, dtype)[:, np.newaxis]
        return self._objective.sparsity_cost(means)


def whole_values(sizes: Sequence[int], m: int) -> int:
    """How many numbers a pass of m examples as a whole holds at most, for a network of these layers.

    Those are the inputs and a one, a and δ of each unit, a one for each hidden layer, the targets, and one more one.
    """
    *hidden, outputs = sizes[1:]
    return m * (sizes[0] + 1 + sum(2 * units + 1 for units in hidden) + 3 * outputs + 1)


class _HiddenLayer:
    """The buffers of a hidden layer.

    Attributes:
        f: its activation.
        a_and_ones: activations, and a last row of ones, (s_l + 1, m).
        a: activations, (s_l, m).
        delta: δ, (s_l, m).
        sparsity_delta: what δ gets in addition inside its bracket, (s_l, 1), if anything.
    """

    def __init__(self, layer: Layer, m: int, dtype: np.dtype[Any]) -> None:
        self.f = ACTIVATIONS[layer.activation]
        self.a_and_ones = np.ones((layer.units + 1, m), dtype)
        self.a = self.a_and_ones[:-1]
        self.delta = np.empty_like(self.a)
        self.sparsity_delta: Array | None = None


def _scales(parameters: Parameters) -> Array:
    """What each parameter is multiplied by, (n,)."""
    scales = Parameters.zeros(parameters.network, parameters.vector.dtype)
    for Wb, layer in zip(scales.Wb, parameters.network.layers, strict=True):
        Wb[...] = ACTIVATIONS[layer.activation].scale
    return scales.vector
