"""A block of examples on its way through the network and back.

Everything has a row for each example, as the data have. Hidden layers have one more column, of ones: multiplied by
[W | b]ᵀ it adds the bias, and in aᵀ δ it gives Δb below ΔW. The rows are stacked in pieces, (pieces, rows, units), so
that one call multiplies piece by piece; see `backprop.lanes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS, Activation
from backprop.costs import CostFunction
from backprop.network import Network, Parameters

Array = NDArray[Any]

TILE = 16
"""Rows that the first layer's bias is added to at once: NumPy takes its time over each row that it begins."""


def _by_unit(a: Array) -> Array:
    """aᵀ of every piece."""
    return a.transpose(0, 2, 1)


class ForwardWeights:
    """The weights as the forward pass multiplies by them: [W(l) | b(l)]ᵀ, times what the activation scales z by.

    Attributes:
        Wb: for every layer but the last, (s_l + 1, s_{l+1}).
        W1: of the first layer without its bias, (s_1, s_2).
        b1: its bias, followed by 0 where the second layer has a column of ones, (s_2 + 1,) or (s_2,).
        b1_tiled: `TILE` times `b1`, end to end.
    """

    def __init__(self, network: Network, dtype: np.dtype[Any]) -> None:
        self.Wb = [np.empty((n_in + 1, n_out), dtype) for n_in, n_out in pairwise(network.sizes)]
        self._scales = [np.array(ACTIVATIONS[layer.activation].scale, dtype) for layer in network.layers]
        self.W1 = self.Wb[0][:-1]
        tile = np.zeros((TILE, network.sizes[1] + (len(network.layers) > 1)), dtype)
        self._bias_of_tile = tile[:, : network.sizes[1]]
        self.b1 = tile[0]
        self.b1_tiled = tile.reshape(-1)

    def take(self, parameters: Parameters) -> None:
        """Make them those of the parameters as they are now."""
        for own, Wb, scale in zip(self.Wb, parameters.Wb, self._scales, strict=True):
            np.multiply(Wb.T, scale, out=own)
        self._bias_of_tile[...] = self.Wb[0][-1]


class Sums:
    """ΔW(l) and Δb(l): gradients summed over examples, in one vector as they come out of the products.

    Attributes:
        vector: all of them, (n,).
        W1: ΔW(1), (s_2, s_1).
        b1: Δb(1), (s_2,).
        Wb: [ΔW(l) | Δb(l)]ᵀ of the layers from l = 2 on, (s_l + 1, s_{l+1}).
    """

    def __init__(self, network: Network, dtype: np.dtype[Any]) -> None:
        self.vector = np.empty(network.parameter_count, dtype)
        s1, s2, *_ = network.sizes
        end = (s1 + 1) * s2
        self._first = self.vector[:end].reshape(s2, s1 + 1)
        self.W1 = self._first[:, :-1]
        self.b1 = self._first[:, -1]
        self.Wb: list[Array] = []
        for n_in, n_out in pairwise(network.sizes[1:]):
            start, end = end, end + (n_in + 1) * n_out
            self.Wb.append(self.vector[start:end].reshape(n_in + 1, n_out))

    def write_scaled(self, factor: Array, gradient: Parameters) -> None:
        """Put `factor` times the sums into the gradient."""
        np.multiply(self._first, factor, out=gradient.Wb[0])
        for sums, Wb in zip(self.Wb, gradient.Wb[1:], strict=True):
            np.multiply(sums.T, factor, out=Wb)


class Block:
    """Buffers for pieces × rows examples, allocated once, and the passes through them.

    What is in them is used up on the way: a pass back needs a pass forward before it.
    """

    def __init__(self, network: Network, pieces: int, rows: int, dtype: np.dtype[Any]) -> None:
        self._hidden = [
            _HiddenLayer(layer.units, layer.activation, pieces, rows, dtype) for layer in network.layers[:-1]
        ]
        self._output = np.empty((pieces, rows, network.outputs), dtype)
        self._output_by_example = self._output.reshape(-1, network.outputs)
        self._output_delta = np.empty_like(self._output)
        self._output_delta_by_example = self._output_delta.reshape(-1, network.outputs)
        self._output_f = ACTIVATIONS[network.layers[-1].activation]
        self._ones = np.ones(pieces * rows, dtype)
        first = self._hidden[0].a_and_ones if self._hidden else self._output
        self._whole_tiles, self._other_rows = _tiles(first)
        # A product of each piece, to be added up; a single one goes to where the sum is wanted.
        self._products: list[Array] | None = None
        self._first_product: Array | None = None
        if pieces > 1:
            hidden_on = pairwise(network.sizes[1:])
            self._products = [np.empty((pieces, n_in + 1, n_out), dtype) for n_in, n_out in hidden_on]
            self._first_product = np.empty((pieces, network.sizes[1], network.inputs), dtype)

    def forward_hidden(self, weights: ForwardWeights, X: Array) -> None:
        """a(2), a(3), … of the hidden layers, from X, (pieces, rows, s_1)."""
        if not self._hidden:
            return
        self._first_z(weights, X, self._hidden[0].a)
        self._hidden[0].activate()
        for below, layer, Wb in zip(self._hidden, self._hidden[1:], weights.Wb[1:], strict=False):
            np.matmul(below.a_and_ones, Wb, out=layer.a)
            layer.activate()

    def measure(self, weights: ForwardWeights, X: Array, Y: Array, cost: CostFunction) -> float:
        """Σ J(W,b;x,y) over the block, from the last hidden layer on; leaves δ of the output layer.

        X is (pieces, rows, s_1) and Y is (pieces · rows, outputs).
        """
        if self._hidden:
            np.matmul(self._hidden[-1].a_and_ones, weights.Wb[-1], out=self._output)
        else:
            self._first_z(weights, X, self._output)
        return cost.measure(self._output_f, self._output_by_example, Y, self._output_delta_by_example)

    def sums_of_hidden(self) -> list[Array]:
        """Σ a(l) over the block's examples for each hidden layer, (s_l,)."""
        return [self._ones @ layer.a_by_example for layer in self._hidden]

    def backward(self, parameters: Parameters, X: Array, sums: Sums, sparsity_deltas: Sequence[Array] | None) -> None:
        """From δ of the output layer to every ΔW = Σ δ(l+1) a(l)ᵀ and Δb = Σ δ(l+1), written to `sums`.

        `sparsity_deltas` are what the hidden layers' δ get in addition, (s_l + 1,) each, the last of them 0.
        """
        delta, delta_by_example = self._output_delta, self._output_delta_by_example
        for l in range(len(self._hidden) - 1, -1, -1):  # noqa: E741  # the page's letter
            layer = self._hidden[l]
            if self._products is None:
                np.matmul(layer.a_and_ones_by_unit[0], delta[0], out=sums.Wb[l])
            else:
                np.matmul(layer.a_and_ones_by_unit, delta, out=self._products[l])
                np.add.reduce(self._products[l], axis=0, out=sums.Wb[l])
            layer.receive(delta, delta_by_example, parameters.W[l + 1], parameters.Wb[l + 1])
            if sparsity_deltas is not None:
                np.add(layer.delta_and_rest, sparsity_deltas[l], out=layer.delta_and_rest)
            layer.f.times_derivative(layer.delta_and_rest, layer.a_and_ones)
            delta, delta_by_example = layer.delta, layer.delta_by_example
        if self._first_product is None:
            np.matmul(_by_unit(delta)[0], X[0], out=sums.W1)
        else:
            np.matmul(_by_unit(delta), X, out=self._first_product)
            np.add.reduce(self._first_product, axis=0, out=sums.W1)
        np.matmul(self._ones, delta_by_example, out=sums.b1)

    def _first_z(self, weights: ForwardWeights, X: Array, z: Array) -> None:
        """z(2) = W(1) x + b(1), scaled."""
        np.matmul(X, weights.W1, out=z)
        if self._whole_tiles.size:
            np.add(self._whole_tiles, weights.b1_tiled, out=self._whole_tiles)
        if self._other_rows.size:
            np.add(self._other_rows, weights.b1, out=self._other_rows)


class _HiddenLayer:
    """The buffers of a hidden layer.

    Attributes:
        f: its activation.
        a: activations, (pieces, rows, s_l).
        a_and_ones: with the column of ones, contiguous, (pieces, rows, s_l + 1).
        delta: δ, (pieces, rows, s_l).
        delta_and_rest: with a column that means nothing, but lets one call go through all of it.
    """

    def __init__(self, units: int, activation: str, pieces: int, rows: int, dtype: np.dtype[Any]) -> None:
        self.f: Activation = ACTIVATIONS[activation]
        self.a_and_ones = np.zeros((pieces, rows, units + 1), dtype)
        self.a_and_ones_by_unit = _by_unit(self.a_and_ones)
        self.a = self.a_and_ones[:, :, :-1]
        self.a_by_example = self.a_and_ones.reshape(-1, units + 1)[:, :-1]
        self._ones = self.a_and_ones[:, :, -1]
        self.delta_and_rest = np.zeros_like(self.a_and_ones)
        self.delta = self.delta_and_rest[:, :, :-1]
        self._delta_and_rest_by_example = self.delta_and_rest.reshape(-1, units + 1)
        self.delta_by_example = self._delta_and_rest_by_example[:, :-1]

    def activate(self) -> None:
        """From z, scaled, to a; and the ones, which are used up by a pass back like all the rest."""
        self.f.apply(self.a_and_ones)
        self._ones.fill(1)

    def receive(self, delta: Array, delta_by_example: Array, W: Array, Wb: Array) -> None:
        """Σ_j W_ji δ_j of the layer above, in each unit i."""
        if delta.shape[-1] == 1:
            # Of a column and a row, `dot` makes the product five times as fast as `matmul`.
            np.dot(delta_by_example, Wb, out=self._delta_and_rest_by_example)
        else:
            np.matmul(delta, W, out=self.delta)


def _tiles(z: Array) -> tuple[Array, Array]:
    """Views of z, (pieces, rows, units): whole tiles of `TILE` rows end to end, and the rows left over."""
    rows = z.reshape(-1, z.shape[-1])
    whole = len(rows) // TILE * TILE
    return rows[:whole].reshape(-1, TILE * z.shape[-1]), rows[whole:]
