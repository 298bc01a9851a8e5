"""A block of examples on its way through the network and back.

Everything has a row for each example, as the data have. Hidden layers have one more column, of ones: multiplied by
[W | b]ᵀ it adds the bias, and in aᵀ δ it gives Δb below ΔW.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.activations import ACTIVATIONS, Activation
from backprop.costs import CostFunction
from backprop.network import Network, Parameters
from backprop.passes.products import (
    RowProduct,
    SumProduct,
    cut,
    most_summed_pieces,
    piece_rows,
    summed_piece_rows,
    transposed,
)

Array = NDArray[Any]

TILE = 16
"""Rows. The first layer's bias is added to so many at once, because NumPy takes its time over each row that it
begins."""


class Inputs(NamedTuple):
    """The inputs of a block, cut as the first layer's products want them.

    Attributes:
        forward: for W(1) x.
        gradient: for ΔW(1).
    """

    forward: list[Array]
    gradient: list[Array]

    @classmethod
    def of(cls, network: Network, X: Array) -> Inputs:
        """Views of X, (rows, s_1)."""
        s1, s2, *_ = network.sizes
        return cls(cut(X, piece_rows(len(X), s1, s2)), cut(X, summed_piece_rows(len(X), s2, s1)))


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
    """Buffers for so many examples, allocated once, and the passes through them.

    What is in them is used up on the way: a pass back needs a pass forward before it.
    """

    def __init__(self, network: Network, rows: int, dtype: np.dtype[Any]) -> None:
        self._hidden = [_HiddenLayer(layer.units, layer.activation, rows, dtype) for layer in network.layers[:-1]]
        self._output = np.empty((rows, network.outputs), dtype)
        self._output_delta = np.empty_like(self._output)
        self._output_f = ACTIVATIONS[network.layers[-1].activation]
        self._ones = np.ones(rows, dtype)
        z = [*(layer.a for layer in self._hidden), self._output]
        deltas = [*(layer.delta for layer in self._hidden), self._output_delta]
        self._first = _FirstProducts(network.inputs, z[0], deltas[0])
        self._products = [_Products(*each) for each in zip(self._hidden, z[1:], deltas[1:], strict=True)]
        self._first_delta = deltas[0]
        self._whole_tiles, self._other_rows = _tiles(self._hidden[0].a_and_ones if self._hidden else self._output)

    def forward_hidden(self, weights: ForwardWeights, X: Inputs) -> None:
        """a(2), a(3), … of the hidden layers."""
        if not self._hidden:
            return
        self._first_z(weights, X)
        self._hidden[0].activate()
        for products, layer, Wb in zip(self._products, self._hidden[1:], weights.Wb[1:], strict=False):
            products.z.of(products.a, Wb)
            layer.activate()

    def measure(
        self, weights: ForwardWeights, X: Inputs, Y: Array, example_weights: Array | None, cost: CostFunction
    ) -> float:
        """Σ w J(W,b;x,y) over the block, from the last hidden layer on; leaves w δ of the output layer.

        Y is (rows, outputs); the w are (rows,), or None for ones.
        """
        if self._hidden:
            products = self._products[-1]
            products.z.of(products.a, weights.Wb[-1])
        else:
            self._first_z(weights, X)
        return cost.measure(self._output_f, self._output, Y, self._output_delta, example_weights)

    def sums_of_hidden(self) -> list[Array]:
        """Σ a(l) over the block's examples for each hidden layer, (s_l,)."""
        return [self._ones @ layer.a for layer in self._hidden]

    def backward(self, parameters: Parameters, X: Inputs, sums: Sums, sparsity_deltas: Sequence[Array] | None) -> None:
        """From δ of the output layer to every ΔW = Σ δ(l+1) a(l)ᵀ and Δb = Σ δ(l+1), written to `sums`.

        `sparsity_deltas` are what the hidden layers' δ get in addition, (s_l + 1,) each, the last of them 0.
        """
        for l in range(len(self._hidden) - 1, -1, -1):  # noqa: E741  # the page's letter
            layer, products = self._hidden[l], self._products[l]
            products.gradient.of(products.a_by_unit, products.summed_delta, sums.Wb[l])
            products.pass_back(parameters.W[l + 1], parameters.Wb[l + 1])
            if sparsity_deltas is not None:
                np.add(layer.delta_and_rest, sparsity_deltas[l], out=layer.delta_and_rest)
            layer.f.times_derivative(layer.delta_and_rest, layer.a_and_ones)
        self._first.gradient.of(self._first.delta_by_unit, X.gradient, sums.W1)
        np.matmul(self._ones, self._first_delta, out=sums.b1)

    def _first_z(self, weights: ForwardWeights, X: Inputs) -> None:
        """z(2) = W(1) x + b(1), scaled."""
        self._first.z.of(X.forward, weights.W1)
        if self._whole_tiles.size:
            np.add(self._whole_tiles, weights.b1_tiled, out=self._whole_tiles)
        if self._other_rows.size:
            np.add(self._other_rows, weights.b1, out=self._other_rows)


def block_values(sizes: Sequence[int], rows: int) -> int:
    """How many numbers a block of so many rows, or fewer, holds at most, for a network of these layers.

    Those are a and δ of each unit and of each hidden layer's column of ones, a one for each row, and the pieces that
    products are summed from.
    """
    *hidden, outputs = sizes[1:]
    for_row = sum(2 * (units + 1) for units in hidden) + 2 * outputs + 1
    factors = [(sizes[1], sizes[0]), *((n_in + 1, n_out) for n_in, n_out in pairwise(sizes[1:]))]
    summed = sum(most_summed_pieces(rows, n_in, n_out) * n_in * n_out for n_in, n_out in factors)
    return rows * for_row + summed


class _HiddenLayer:
    """The buffers of a hidden layer.

    Attributes:
        f: its activation.
        a: activations, (rows, s_l).
        a_and_ones: with the column of ones, contiguous, (rows, s_l + 1).
        delta: δ, (rows, s_l).
        delta_and_rest: with a column that means nothing, but lets one call go through all of it.
    """

    def __init__(self, units: int, activation: str, rows: int, dtype: np.dtype[Any]) -> None:
        self.f: Activation = ACTIVATIONS[activation]
        self.a_and_ones = np.zeros((rows, units + 1), dtype)
        self.a = self.a_and_ones[:, :-1]
        self._ones = self.a_and_ones[:, -1]
        self.delta_and_rest = np.zeros_like(self.a_and_ones)
        self.delta = self.delta_and_rest[:, :-1]

    def activate(self) -> None:
        """From z, scaled, to a; and the ones, which are used up by a pass back like all the rest."""
        self.f.apply(self.a_and_ones)
        self._ones.fill(1)


class _FirstProducts:
    """The products with the weights of the first layer.

    Attributes:
        z: of the second layer.
        gradient: ΔW(1) = Σ δ(2) xᵀ.
        delta_by_unit: δ(2), transposed, cut for it.
    """

    def __init__(self, inputs: int, z: Array, delta: Array) -> None:
        rows, units = delta.shape
        self.z = RowProduct(z, inputs)
        self.gradient = SumProduct(rows, units, inputs, delta.dtype)
        self.delta_by_unit = transposed(cut(delta, self.gradient.rows))


class _Products:
    """The products with the weights between a hidden layer and the one above it, and their operands.

    Attributes:
        z: of the layer above.
        a: the hidden layer's activations and ones, cut for it.
        gradient: [ΔW(l) | Δb(l)]ᵀ = Σ a(l) δ(l+1)ᵀ.
        a_by_unit: the activations and ones, transposed, cut for it.
        summed_delta: δ of the layer above, cut for it.
    """

    def __init__(self, below: _HiddenLayer, z_above: Array, delta_above: Array) -> None:
        rows, units_and_one = below.a_and_ones.shape
        self.z = RowProduct(z_above, units_and_one)
        self.a = cut(below.a_and_ones, self.z.rows)
        self.gradient = SumProduct(rows, units_and_one, z_above.shape[1], z_above.dtype)
        self.a_by_unit = transposed(cut(below.a_and_ones, self.gradient.rows))
        self.summed_delta = cut(delta_above, self.gradient.rows)
        self._delta_above = delta_above
        self._below = below
        self._delta = RowProduct(below.delta, delta_above.shape[1])
        self._delta_pieces = cut(delta_above, self._delta.rows)

    def pass_back(self, W: Array, Wb: Array) -> None:
        """Σ_j W_ji δ_j of the layer above, in each unit i of the hidden layer's δ."""
        if self._delta_above.shape[1] == 1:
            # Of a column and a row, `dot` makes the product five times as fast as `matmul`.
            np.dot(self._delta_above, Wb, out=self._below.delta_and_rest)
        else:
            self._delta.of(self._delta_pieces, W)


def _tiles(z: Array) -> tuple[Array, Array]:
    """Views of z, (rows, units): whole tiles of `TILE` rows end to end, and the rows left over."""
    whole = len(z) // TILE * TILE
    return z[:whole].reshape(-1, TILE * z.shape[1]), z[whole:]
