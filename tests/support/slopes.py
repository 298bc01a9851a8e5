"""Slopes whose J has a formula and a known minimum, for optimizers to go down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from backprop.objective import Cost

Array = NDArray[Any]


class FormulaSlope:
    """J and ∇J by formulas, around a θ that begins at `start`.

    Attributes:
        visited: copies of every θ that J has been evaluated at, in order.
    """

    def __init__(self, J: Callable[[Array], float], nabla: Callable[[Array], Array], start: Array) -> None:
        self.vector = start.copy()
        self.gradient = np.zeros_like(start)
        self.evaluations = 0
        self.visited: list[Array] = []
        self._J = J
        self._nabla = nabla

    def evaluate(self) -> Cost:
        """J at the current θ; leaves ∇J in `gradient`."""
        self.evaluations += 1
        self.visited.append(self.vector.copy())
        self.gradient[...] = self._nabla(self.vector)
        return Cost(float(self._J(self.vector)), 0.0, 0.0)


@dataclass(frozen=True)
class Bowl:
    """J(θ) = ½ (θ − θ*)ᵀ A (θ − θ*), A symmetric and positive definite, and a θ to start from."""

    A: Array
    minimum: Array
    start: Array

    def J(self, theta: Array) -> float:  # noqa: N802  # the page's letter
        return float(0.5 * (theta - self.minimum) @ self.A @ (theta - self.minimum))

    def nabla(self, theta: Array) -> Array:
        slope: Array = self.A @ (theta - self.minimum)
        return slope

    def slope(self) -> FormulaSlope:
        """This bowl, not evaluated yet."""
        return FormulaSlope(self.J, self.nabla, self.start)

    def astype(self, dtype: str) -> Bowl:
        """The same, rounded."""
        return Bowl(self.A.astype(dtype), self.minimum.astype(dtype), self.start.astype(dtype))


@st.composite
def bowls(draw: st.DrawFn, *, most_parameters: int = 6) -> Bowl:
    """Of one to so many parameters, with curvatures from 0.01 to 10 along axes of any direction."""
    n = draw(st.integers(1, most_parameters))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    axes, _ = np.linalg.qr(generator.normal(size=(n, n)))
    curvatures = 10.0 ** generator.uniform(-2, 1, n)
    return Bowl((axes * curvatures) @ axes.T, generator.normal(size=n), 3 * generator.normal(size=n))


def rosenbrock(start: Array) -> FormulaSlope:
    """(1 − x)² + 100 (y − x²)²: a bent and narrow valley, whose minimum is 0 at (1, 1)."""

    def J(theta: Array) -> float:  # noqa: N802
        x, y = theta
        return float((1 - x) ** 2 + 100 * (y - x**2) ** 2)

    def nabla(theta: Array) -> Array:
        x, y = theta
        return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], theta.dtype)

    return FormulaSlope(J, nabla, start)
