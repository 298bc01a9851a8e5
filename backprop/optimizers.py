"""How parameters move from one iteration to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class GradientDescent:
    """θ −= α ∇J(θ), for all weights and biases θ at once.

    On the page: W −= α[(1/m)ΔW + λW], b −= α(1/m)Δb.
    """

    def __init__(self, learning_rate: float, vector: Array) -> None:
        self._learning_rate = np.array(learning_rate, vector.dtype)
        self._step = np.empty_like(vector)

    def update(self, vector: Array, gradient: Array) -> None:
        """Take one step, in place."""
        np.multiply(gradient, self._learning_rate, out=self._step)
        np.subtract(vector, self._step, out=vector)
