"""The work that is measured: networks, data, and the parameters that every contender starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.network import Layer, Network, Parameters, initial_parameters

Array = NDArray[Any]

LEARNING_RATE = 0.5

LINEAR_LEARNING_RATE = 1e-3
"""For linear outputs, which would diverge with the other; some peers are slow with the numbers that come of that."""


@dataclass(frozen=True)
class Shape:
    """A full-batch training: m examples through layers of these sizes, sigmoid units, squared error, no decay.

    Attributes:
        iterations: how many are timed at once, some tenths of a second's worth.
    """

    m: int
    sizes: tuple[int, ...]
    dtype: str
    iterations: int

    @property
    def name(self) -> str:
        """As the tables have it."""
        return f"{self.m:,} × {'-'.join(map(str, self.sizes))}, {self.dtype}"

    @property
    def flops(self) -> int:
        """Multiplications and additions in the matrix products of an iteration: three for each layer but the first."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        return sum(2 * self.m * n_in * n_out * (2 if place == 0 else 3) for place, (n_in, n_out) in enumerate(pairs))

    def network(self, output: str = "sigmoid") -> Network:
        """The network, untrained."""
        *hidden, outputs = self.sizes[1:]
        return Network(self.sizes[0], (*(Layer(units, "sigmoid") for units in hidden), Layer(outputs, output)))

    def data(self) -> tuple[Array, Array]:
        """Inputs (m, s_1) and targets (m, s_nl) between 0 and 1."""
        generator = np.random.default_rng(0)
        X = generator.random((self.m, self.sizes[0]), np.float32).astype(self.dtype)
        Y = generator.random((self.m, self.sizes[-1]), np.float32).astype(self.dtype)
        return X, Y

    def start(self, output: str = "sigmoid") -> Parameters:
        """The initial parameters."""
        return initial_parameters(self.network(output), init="uniform", seed=0, dtype=self.dtype)


SHAPES = (
    Shape(569, (30, 16, 1), "float32", 2000),
    Shape(10_000, (64, 25, 64), "float32", 100),
    Shape(10_000, (64, 25, 64), "float64", 50),
    Shape(60_000, (784, 100, 10), "float32", 4),
    Shape(20_000, (784, 512, 512, 10), "float32", 2),
)
