from __future__ import annotations

import weakref

import pytest

from backprop.network import Layer, Network
from backprop.training import Run
from backprop_client.wire.gradient_checks import DerivativeTwice, GradientCheckResult
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.jobs.attempts import Claim
from infra.database import Database
from infra.errors import InvalidRequest
from tests.support.faults import job_body
from tests.support.service import Service
from worker import attempt
from worker import start as start_module
from worker.attempt import KINKED_LIMIT, SMOOTH_LIMIT, _require_agreement
from worker.recorder import Recorder
from worker.start import Start


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


def test_what_a_training_starts_from_does_not_stay_in_memory(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint may be as large as all the rest of a training."""
    started: list[weakref.ref[Start]] = []

    def start_of(claim: Claim, job: ResolvedJob, database: Database) -> Start:
        start = start_module.start_of(claim, job, database)
        started.append(weakref.ref(start))
        return start

    monkeypatch.setattr("worker.attempt.start_of", start_of)
    train = attempt.follow

    def follow(run: Run, recorder: Recorder) -> None:
        assert [each() for each in started] == [None]
        train(run, recorder)

    monkeypatch.setattr("worker.attempt.follow", follow)
    assert service.train(job_body(service, rows=20, iterations=3))["status"] == "succeeded"
