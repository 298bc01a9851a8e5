"""Momentum: a step along −∇J and a share of the step before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backprop.objective import Cost
from backprop.optimizers.protocols import Array, Slope, remembered


class Momentum:
    """v := μ v − α ∇J(θ), θ += v, from v = 0 (Polyak's heavy ball)."""

    def __init__(self, slope: Slope, learning_rate: float, momentum: float, state: Mapping[str, Array]) -> None:
        self._slope = slope
        self._learning_rate = np.array(learning_rate, slope.vector.dtype)
        self._momentum = np.array(momentum, slope.vector.dtype)
        self._velocity = remembered(state, "velocity", slope.vector)
        self._change = np.empty_like(slope.vector)

    def step(self) -> Cost:
        """One update and evaluation."""
        slope = self._slope
        np.multiply(slope.gradient, self._learning_rate, out=self._change)
        np.multiply(self._velocity, self._momentum, out=self._velocity)
        np.subtract(self._velocity, self._change, out=self._velocity)
        np.add(slope.vector, self._velocity, out=slope.vector)
        return slope.evaluate()

    def state(self) -> dict[str, Array]:
        """The velocity v."""
        return {"velocity": self._velocity.copy()}
