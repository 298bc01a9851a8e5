from __future__ import annotations

import pytest

from backprop.network import Layer, Network
from backprop_client.wire.gradient_checks import DerivativeTwice, GradientCheckResult
from infra.errors import InvalidRequest
from worker.attempt import KINKED_LIMIT, SMOOTH_LIMIT, _require_agreement


def checked(difference: float) -> GradientCheckResult:
    worst = DerivativeTwice(kind="W", layer=1, index=(0, 0), numerical=1.0, gradient=1.0)
    return GradientCheckResult(
        relative_difference=difference, worst=worst, epsilon=1e-4, parameters=10, examples=10, seed=0
    )


@pytest.mark.parametrize(
    ("activation", "limit"), [("sigmoid", SMOOTH_LIMIT), ("tanh", SMOOTH_LIMIT), ("relu", KINKED_LIMIT)]
)
def test_a_checked_gradient_may_be_farther_off_where_a_layer_has_a_kink(activation: str, limit: float) -> None:
    network = Network(2, (Layer(3, activation), Layer(1, "sigmoid")))
    _require_agreement(checked(limit), network)
    with pytest.raises(InvalidRequest) as refused:
        _require_agreement(checked(2 * limit), network)
    assert refused.value.code == "gradient_check_failed"
