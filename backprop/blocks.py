"""A block of examples on its way through the network and back.

Inputs, outputs and targets have a row for each example, as the data have. Hidden layers have a row for each unit, which
keeps the long axis innermost however few units there are, and one more row of ones below: multiplied by [W | b] it
adds the bias, and in δ aᵀ it gives ∇b beside ∇W.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS
from backprop.costs import CostFunction
from backprop.network import Network, Parameters

Array = NDArray[Any]


class Block:
    """Buffers for a fixed number of examples, allocated once, and the passes through them.

    Attributes:
        hidden: activations of the hidden layers, (s_l, rows) each.
    """

    def __init__(self, network: Network, rows: int, dtype: np.dtype[Any]) -> None:
        hidden = network.layers[:-1]
        self._f = [ACTIVATIONS[layer.activation] for layer in hidden]
        self._with_ones = [np.ones((layer.units + 1, rows), dtype) for layer in hidden]
        self._with_ones_by_row = [a.T for a in self._with_ones]
        self.hidden = [a[:-1] for a in self._with_ones]
        self._delta = [np.empty((layer.units, rows), dtype) for layer in hidden]
        self._scratch = [np.empty((layer.units, rows), dtype) for layer in hidden]
        self._output_f = ACTIVATIONS[network.layers[-1].activation]
        self._output = np.empty((rows, network.outputs), dtype)
        self._output_delta = np.empty_like(self._output)
        self._output_delta_by_unit = self._output_delta.T
        self._output_scratch = np.empty_like(self._output)

    def forward_hidden(self, parameters: Parameters, X: Array) -> None:
        """a(2), a(3), … of the hidden layers."""
        if not self.hidden:
            return
        np.matmul(parameters.W[0], X.T, out=self.hidden[0])
        np.add(self.hidden[0], parameters.b[0][:, np.newaxis], out=self.hidden[0])
        self._f[0].apply(self.hidden[0])
        for layer in range(1, len(self.hidden)):
            np.matmul(parameters.Wb[layer], self._with_ones[layer - 1], out=self.hidden[layer])
            self._f[layer].apply(self.hidden[layer])

    def measure(self, parameters: Parameters, X: Array, Y: Array, cost: CostFunction) -> float:
        """Σ J(W,b;x,y) over the block, from the last hidden layer on; leaves δ of the output layer."""
        if self.hidden:
            np.matmul(self._with_ones_by_row[-1], parameters.Wb[-1].T, out=self._output)
        else:
            np.matmul(X, parameters.W[0].T, out=self._output)
            np.add(self._output, parameters.b[0], out=self._output)
        return cost.measure(self._output_f, self._output, Y, self._output_delta, self._output_scratch)

    def backward(
        self, parameters: Parameters, X: Array, gradient: Parameters, sparsity_deltas: Sequence[Array] | None
    ) -> None:
        """From δ of the output layer to every ∇W = δ(l+1) a(l)ᵀ and ∇b = Σ δ(l+1), written to `gradient`.

        `sparsity_deltas` are what the hidden layers' δ get in addition, (s_l, 1) each.
        """
        delta = self._output_delta_by_unit
        for layer in range(len(self.hidden), 0, -1):
            np.matmul(delta, self._with_ones_by_row[layer - 1], out=gradient.Wb[layer])
            np.matmul(parameters.W[layer].T, delta, out=self._delta[layer - 1])
            delta = self._delta[layer - 1]
            if sparsity_deltas is not None:
                np.add(delta, sparsity_deltas[layer - 1], out=delta)
            self._f[layer - 1].times_derivative(delta, self.hidden[layer - 1], self._scratch[layer - 1])
        np.matmul(delta, X, out=gradient.W[0])
        np.add.reduce(delta, axis=1, out=gradient.b[0])
