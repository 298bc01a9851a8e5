"""Forward propagation in which a row gets the bits that it gets alone, whatever rows are beside it.

A product of matrices is computed by another routine for another number of rows, and the routines round differently. So
every product here has the same number of rows: a row alone stands in a block of zeros. What else is done to a row, bias
and activation, is done to each value for itself, or within the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backprop.activations import ACTIVATIONS, Activation
from backprop.network import BLOCK_VALUES, Array, Parameters

BLOCK_ROWS = 8
"""Rows. A product has exactly so many. With 8, every place in a block gave the same bits in all of OpenBLAS's routines
that could be tried; with 12 or more it did not, as they take 12 or 16 rows otherwise than those that are left."""

LEAST_UNITS = 2
"""Columns of a matrix of weights. With one the product would be that of a matrix and a vector, and the routines for
those do depend on the place of a row."""


class _Layer(NamedTuple):
    """A layer's parameters, as products want them.

    Attributes:
        weights: Wᵀ, (s_l, s_{l+1} or `LEAST_UNITS`), C-contiguous: BLAS copies it for each block, and copies it fastest
            from this order. Zeros beyond the layer's units. Like the bias, times what the activation wants z to be
            multiplied by, which is 1 or −1 and changes no other bit.
        bias: (s_{l+1},).
        activation: of the layer.
    """

    weights: Array
    bias: Array
    activation: Activation

    def activations(self, a: Array) -> Array:
        """a(l+1), (blocks, `BLOCK_ROWS`, s_{l+1}), of a(l), (blocks, `BLOCK_ROWS`, s_l). It may overflow on its way."""
        z = a @ self.weights
        if z.shape[-1] > len(self.bias):
            z = np.ascontiguousarray(z[..., : len(self.bias)])
        z += self.bias
        self.activation.apply(z)
        return z


class ForwardPropagation:
    """h_{W,b}(x) for one network's parameters, which it copies.

    The bits depend on the machine's processor and on how many threads BLAS has, and on nothing else.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._network = parameters.network
        self._dtype = parameters.vector.dtype
        self._piece_rows = BLOCK_ROWS * max(1, BLOCK_VALUES // (BLOCK_ROWS * max(parameters.network.sizes)))
        self._layers = tuple(
            _layer(W, b, ACTIVATIONS[layer.activation])
            for W, b, layer in zip(parameters.W, parameters.b, parameters.network.layers, strict=True)
        )

    @property
    def nbytes(self) -> int:
        """Bytes that the copy takes."""
        return sum(layer.weights.nbytes + layer.bias.nbytes for layer in self._layers)

    def outputs(self, X: Array) -> Array:
        """The output layer's activations.

        Args:
            X: (m, inputs), of any number type.

        Returns:
            (m, outputs), of the parameters' dtype; not finite where the network overflows.

        Raises:
            ValueError: X has another number of columns than the network has inputs.
        """
        return self.between(X, 1, len(self._layers) + 1)

    def between(self, a: Array, layer: int, last: int) -> Array:
        """The activations of a layer, given those of one before it.

        Args:
            a: a(l), (m, s_l), of any number type.
            layer: l; 1 is the input layer.
            last: which layer's activations are wanted, above l; n_l is the output layer.

        Returns:
            (m, s_last), of the parameters' dtype; not finite where the network overflows.

        Raises:
            ValueError: `a` has another number of columns than layer l has units.
        """
        width, layers = self._network.sizes[layer - 1], self._layers[layer - 1 : last - 1]
        if a.ndim != 2 or a.shape[1] != width:
            raise ValueError(f"{'X' if layer == 1 else 'a'} should be (m, {width}), not {a.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            if len(a) <= self._piece_rows:
                return self._propagated(a, layers)
            activations = np.empty((len(a), self._network.sizes[last - 1]), self._dtype)
            for start in range(0, len(a), self._piece_rows):
                rows = slice(start, start + self._piece_rows)
                activations[rows] = self._propagated(a[rows], layers)
            return activations

    def _propagated(self, rows: Array, layers: Sequence[_Layer]) -> Array:
        a = self._in_blocks(rows)
        for layer in layers:
            a = layer.activations(a)
        return a.reshape(-1, a.shape[-1])[: len(rows)]

    def _in_blocks(self, X: Array) -> Array:
        """The rows as (blocks, `BLOCK_ROWS`, units), C-contiguous, with zeros in the places that are left."""
        blocks, missing = -(-len(X) // BLOCK_ROWS), -len(X) % BLOCK_ROWS
        if missing:
            padded = np.zeros((blocks * BLOCK_ROWS, X.shape[1]), self._dtype)
            padded[: len(X)] = X
        else:
            padded = np.ascontiguousarray(X, self._dtype)
        return padded.reshape(blocks, BLOCK_ROWS, X.shape[1])


def _layer(W: Array, b: Array, activation: Activation) -> _Layer:
    return _Layer(_transposed(W) * W.dtype.type(activation.scale), b * b.dtype.type(activation.scale), activation)


def _transposed(W: Array) -> Array:
    n_out, n_in = W.shape
    transposed = np.zeros((n_in, max(n_out, LEAST_UNITS)), W.dtype)
    transposed[:, :n_out] = W.T
    return transposed
