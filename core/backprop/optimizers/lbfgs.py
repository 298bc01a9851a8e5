"""L-BFGS: steps along −H ∇J, where H approximates the inverse Hessian from the last few changes of θ and ∇J."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import line_search

from backprop.objective import Cost
from backprop.optimizers.protocols import Slope

Array = NDArray[Any]

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
"""c₁ and c₂ of the strong Wolfe conditions. These are the usual ones for quasi-Newton directions."""

MOST_TRIALS = 25
"""Step lengths. One line search tries so many before it is given up."""

CLOSER = 2.0**-10
"""A factor. A line search halves its step some ten times. If it has found nothing then, a step shorter by this factor
is tried."""


class LBFGS:
    """The two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a Wolfe line search.

    A step of length 1 is tried first. Along the very first direction, −∇J, it is shortened to ‖step‖₂ ≤ 1. Where a line
    search finds nothing, the corrections are forgotten and −∇J is tried, closer and closer to θ; where that finds
    nothing either, J cannot be made smaller in this precision.

    Args:
        slope: J, evaluated at the current θ on the same examples every time.
        cost: J there.
        corrections: how many pairs s = Δθ, y = Δ∇J are kept.
        state: of another one, to go on from; empty for none.

    Raises:
        ValueError: a state of something else.
    """

    def __init__(self, slope: Slope, cost: Cost, corrections: int, state: Mapping[str, Array]) -> None:
        self._slope = slope
        self._cost = cost
        self._corrections = corrections
        self._s: list[Array] = []
        self._y: list[Array] = []
        if state:
            self._s, self._y = _pairs(state, slope.vector)

    def step(self) -> Cost | None:
        """One line search, of as many evaluations as it takes."""
        theta, gradient = self._slope.vector.copy(), self._slope.gradient.copy()
        cost = self._search(theta, gradient, self._direction(gradient)) if self._s else None
        if cost is None:
            self._s, self._y = [], []
            cost = self._search_along_gradient(theta, gradient)
        if cost is None:
            self._slope.vector[...] = theta
            self._slope.gradient[...] = gradient
            return None
        self._cost = cost
        self._remember(self._slope.vector - theta, self._slope.gradient - gradient)
        return cost

    def state(self) -> dict[str, Array]:
        """The corrections, oldest first: ``steps`` and ``gradient_changes``, (pairs, n)."""
        n = self._slope.vector.size
        return {
            "steps": np.array(self._s, self._slope.vector.dtype).reshape(-1, n),
            "gradient_changes": np.array(self._y, self._slope.vector.dtype).reshape(-1, n),
        }

    def _search_along_gradient(self, theta: Array, gradient: Array) -> Cost | None:
        """Look along −∇J, the closer to θ the longer nothing is found, as far as a gain would be seen in J."""
        direction = self._direction(gradient)
        cost = self._search(theta, gradient, direction)
        least_gain = float(np.finfo(gradient.dtype).eps) * abs(self._cost.total)
        while cost is None and -float(np.dot(direction, gradient)) > least_gain and np.any(theta + direction != theta):
            direction *= CLOSER
            cost = self._search(theta, gradient, direction)
        return cost

    def _search(self, theta: Array, gradient: Array, direction: Array) -> Cost | None:
        """Look for a step along the direction that meets the Wolfe conditions; θ is left there."""
        if not float(np.dot(direction, gradient)) < 0:
            return None
        trial = _Trial(self._slope, theta, gradient, self._cost)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # that nothing was found is seen by the result
            length, *_ = line_search(
                trial.cost_at,
                trial.gradient_at,
                theta,
                direction,
                gradient,
                self._cost.total,
                c1=SUFFICIENT_DECREASE,
                c2=CURVATURE,
                maxiter=MOST_TRIALS,
            )
        if length is None:
            return None
        cost = trial.evaluate(theta + length * direction)
        return cost if cost.total < self._cost.total else None

    def _direction(self, gradient: Array) -> Array:
        """−H ∇J."""
        q = -gradient
        if not self._s:
            return q * (1 / max(1.0, _length(q)))
        rho = [1 / float(np.dot(s, y)) for s, y in zip(self._s, self._y, strict=True)]
        alpha = [0.0] * len(rho)
        for i in reversed(range(len(rho))):
            alpha[i] = rho[i] * float(np.dot(self._s[i], q))
            q -= alpha[i] * self._y[i]
        q *= 1 / (rho[-1] * float(np.dot(self._y[-1], self._y[-1])))
        for i in range(len(rho)):
            beta = rho[i] * float(np.dot(self._y[i], q))
            q += (alpha[i] - beta) * self._s[i]
        return q

    def _remember(self, s: Array, y: Array) -> None:
        """Keep a pair, unless rounding has left it without the positive curvature that keeps H positive definite.

        One whose y is so small that yᵀy loses its digits or becomes 0 is not kept either.
        """
        curvature, square = float(np.dot(s, y)), float(np.dot(y, y))
        if square >= np.finfo(s.dtype).tiny and curvature > np.finfo(s.dtype).eps * square:
            self._s = [*self._s, s][-self._corrections :]
            self._y = [*self._y, y][-self._corrections :]


class _Trial:
    """J and ∇J for a line search, which asks for them one by one: evaluated once where both are wanted."""

    def __init__(self, slope: Slope, theta: Array, gradient: Array, cost: Cost) -> None:
        self._slope = slope
        self._theta = theta
        self._gradient = gradient
        self._cost = cost

    def evaluate(self, theta: Array) -> Cost:
        """J; leaves ∇J in the slope."""
        theta = theta.astype(self._slope.vector.dtype, copy=False)
        if not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            self._slope.vector[...] = theta
            self._cost = self._slope.evaluate()
            self._gradient = self._slope.gradient
        return self._cost

    def cost_at(self, theta: Array) -> float:
        """J, or infinity where it is not a number, so that the search turns back."""
        cost = self.evaluate(theta).total
        return cost if math.isfinite(cost) else math.inf

    def gradient_at(self, theta: Array) -> Array:
        """∇J, as a copy."""
        self.evaluate(theta)
        return self._gradient.copy()


def _length(vector: Array) -> float:
    """‖vector‖₂, also where the squares of its elements leave the range of its dtype."""
    largest = float(np.abs(vector).max()) or 1.0
    return largest * float(np.linalg.norm(vector / largest))


def _pairs(state: Mapping[str, Array], like: Array) -> tuple[list[Array], list[Array]]:
    try:
        # Each vector has memory of its own, so that what is forgotten is freed.
        pairs = [[np.array(vector, like.dtype) for vector in state[name]] for name in ("steps", "gradient_changes")]
    except KeyError as error:
        raise ValueError(f"not the state of L-BFGS: it has no {error}") from error
    if len(pairs[0]) != len(pairs[1]) or any(vector.shape != like.shape for vector in pairs[0] + pairs[1]):
        raise ValueError("not the state of L-BFGS for these parameters")
    return pairs[0], pairs[1]
