"""How parameters move from one iteration to the next.

θ stands for all weights and biases at once, one flat vector. An optimizer works on a slope: the current θ, ∇J(θ), and a
way to evaluate them again once θ has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backprop.objective import Cost

Array = NDArray[Any]


class Slope(Protocol):
    """J around the current parameters.

    Attributes:
        evaluations: how many there have been.
    """

    evaluations: int

    @property
    def vector(self) -> Array:
        """θ, (n,), which optimizers change in place."""

    @property
    def gradient(self) -> Array:
        """∇J at the θ of the last evaluation, (n,)."""

    def evaluate(self) -> Cost:
        """J at the current θ; leaves ∇J in `gradient`."""


class Optimizer(Protocol):
    """Takes one step after the other on a slope."""

    def step(self) -> Cost | None:
        """Move θ from where it was evaluated to the next iteration's, and evaluate there.

        Returns:
            J at the new θ, or None if no better θ can be found; then θ has not moved.
        """

    def state(self) -> dict[str, Array]:
        """What the optimizer remembers, as arrays that are copies; its constructor takes them back."""


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


class Momentum:
    """v := μ v − α ∇J(θ), θ += v, from v = 0 (Polyak's heavy ball)."""

    def __init__(self, slope: Slope, learning_rate: float, momentum: float, state: Mapping[str, Array]) -> None:
        self._slope = slope
        self._learning_rate = np.array(learning_rate, slope.vector.dtype)
        self._momentum = np.array(momentum, slope.vector.dtype)
        self._velocity = _remembered(state, "velocity", slope.vector)
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
        self._first = _remembered(state, "first_moment", slope.vector)
        self._second = _remembered(state, "second_moment", slope.vector)
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


def _remembered(state: Mapping[str, Array], name: str, like: Array) -> Array:
    """A vector out of a state, or zeros if the state is empty because nothing has happened yet."""
    if not state:
        return np.zeros_like(like)
    if name not in state or state[name].shape != like.shape or state[name].dtype != like.dtype:
        raise ValueError(f"not the state of this optimizer: {name} should be {like.shape} of {like.dtype}")
    return state[name].copy()
