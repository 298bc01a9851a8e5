"""Adam: steps whose length each parameter adapts to the gradients that it has seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backprop.objective import Cost
from backprop.optimizers.protocols import Array, Slope, remembered


class Adam:
    """Adam, as in algorithm 1 of Kingma and Ba (2015), with their β₁ = 0.9, β₂ = 0.999, ε = 1e-8.

    m := β₁ m + (1−β₁) ∇J, v := β₂ v + (1−β₂) ∇J², θ −= α m̂ / (√v̂ + ε), where m̂ = m / (1−β₁ᵗ), v̂ = v / (1−β₂ᵗ) at
    update t = 1, 2, …. It is computed as α c m / (√v + c′), c′ = ε √(1−β₂ᵗ), c = √(1−β₂ᵗ) / (1−β₁ᵗ).
    """

    BETA_1 = 0.9
    BETA_2 = 0.999
    EPSILON = 1e-8

    def __init__(self, slope: Slope, learning_rate: float, updates: int, state: Mapping[str, Array]) -> None:
        self._slope = slope
        self._learning_rate = learning_rate
        self._updates = updates
        self._first = remembered(state, "first_moment", slope.vector)
        self._second = remembered(state, "second_moment", slope.vector)
        self._change = np.empty_like(slope.vector)

    def step(self) -> Cost:
        """One update and evaluation."""
        slope, change = self._slope, self._change
        self._updates += 1
        np.subtract(slope.gradient, self._first, out=change)
        np.multiply(change, 1 - self.BETA_1, out=change)
        np.add(self._first, change, out=self._first)
        np.multiply(slope.gradient, slope.gradient, out=change)
        np.subtract(change, self._second, out=change)
        np.multiply(change, 1 - self.BETA_2, out=change)
        np.add(self._second, change, out=self._second)
        correction = float(np.sqrt(1 - self.BETA_2**self._updates))
        np.sqrt(self._second, out=change)
        np.add(change, self.EPSILON * correction, out=change)
        np.divide(self._first, change, out=change)
        np.multiply(change, self._learning_rate * correction / (1 - self.BETA_1**self._updates), out=change)
        np.subtract(slope.vector, change, out=slope.vector)
        return slope.evaluate()

    def state(self) -> dict[str, Array]:
        """The moments m and v; t is the iteration."""
        return {"first_moment": self._first.copy(), "second_moment": self._second.copy()}
