"""Gradient checking as the service does it: on a sample that bounds the time."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from backprop.checking import EPSILON, GradientCheck, check_gradient
from backprop.network import Network, Parameters
from backprop.objective import Objective
from backprop_client.wire.gradient_checks import DerivativeTwice, GradientCheckResult

Array = NDArray[Any]

MOST_PARAMETERS = 1_000
MOST_EXAMPLES = 1_000
FEWEST = 10
"""Parameters, and examples. A check of fewer would say little, where there are more."""

MOST_WORK = 3e10
"""Multiplications in all. They take some seconds on one core. This decides how large the sample of a large network
is."""


def check(
    parameters: Parameters, X: Array, Y: Array, objective: Objective, seed: int, weights: Array | None = None
) -> GradientCheckResult:
    """Check ∇J at these parameters, on no more of them and of the examples than some seconds allow.

    Args:
        parameters: where; of float32 or float64.
        X: (m, inputs), may be mapped.
        Y: (m, outputs), likewise.
        objective: what J is.
        seed: of the sample.
        weights: how much each example counts in J, (m,); None: all alike.

    Raises:
        FloatingPointError: J or a derivative is not a finite number there.
    """
    most_parameters, most_examples = sample_size(parameters.network)
    result = check_gradient(
        parameters,
        X,
        Y,
        objective,
        most_parameters=most_parameters,
        most_examples=most_examples,
        seed=seed,
        weights=weights,
    )
    if not math.isfinite(result.relative_difference):
        raise FloatingPointError("J or its derivatives are no finite numbers at these parameters")
    return _with_sample(result, seed)


def sample_size(network: Network) -> tuple[int, int]:
    """How many parameters and examples to check at most.

    Every parameter takes two evaluations of J with its gradient: three multiplications for each example and parameter
    of the network, and as much time as some twenty examples take to sum up the parameters themselves.
    """
    count = network.parameter_count
    examples = _between(FEWEST, MOST_WORK / (6 * count * min(count, MOST_PARAMETERS)), MOST_EXAMPLES)
    return _between(FEWEST, MOST_WORK / (6 * count * (examples + 20)), MOST_PARAMETERS), examples


def _between(least: int, number: float, most: int) -> int:
    return int(min(max(number, least), most))


def _with_sample(check: GradientCheck, seed: int) -> GradientCheckResult:
    """The core's result, with what it does not know."""
    worst = check.worst
    return GradientCheckResult(
        relative_difference=check.relative_difference,
        worst=DerivativeTwice(
            kind=worst.kind, layer=worst.layer, index=worst.index, numerical=worst.numerical, gradient=worst.gradient
        ),
        epsilon=EPSILON,
        parameters=check.parameters,
        examples=check.examples,
        seed=seed,
    )
