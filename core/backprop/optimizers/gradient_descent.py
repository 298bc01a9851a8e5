"""Gradient descent: a step along −∇J."""

from __future__ import annotations

import numpy as np

from backprop.objective import Cost
from backprop.optimizers.protocols import Array, Slope


class GradientDescent:
    """θ −= α ∇J(θ).

    On the page: W −= α[(1/m)ΔW + λW], b −= α(1/m)Δb.
    """

    def __init__(self, slope: Slope, learning_rate: float) -> None:
        self._slope = slope
        self._learning_rate = np.array(learning_rate, slope.vector.dtype)
        self._change = np.empty_like(slope.vector)

    def step(self) -> Cost:
        """One update and evaluation."""
        slope = self._slope
        np.multiply(slope.gradient, self._learning_rate, out=self._change)
        np.subtract(slope.vector, self._change, out=slope.vector)
        return slope.evaluate()

    def state(self) -> dict[str, Array]:
        """Nothing: the next step depends on θ alone."""
        return {}
