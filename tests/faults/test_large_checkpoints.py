"""States that take longer to write than an attempt is believed alive: nobody takes the job over, and none is half."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from domain.jobs import checkpoints
from infra.tables import CheckpointPart
from tests.support.faults import LONG_LEASE, SOON, StartWorker, assert_same_as_undisturbed, ended, row_of, work_horse
from tests.support.service import Service
from tests.support.waiting import wait_for

LEASE = 1.0
"""Seconds: less than writing the states takes here, and more than copying one does, during which nothing is written."""


def large_body(service: Service, corrections: int, iterations: int) -> dict[str, Any]:
    """A job whose state has 366,000 parameters of 8 bytes, and twice as many for each correction."""
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(50, 600)), y=rng.uniform(size=50))
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "network": {"layers": [{"units": 600, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
        "training": {
                "preset": "tutorial",
            "optimizer": "lbfgs", "corrections": corrections, "iterations": iterations, "dtype": "float64",
            "init": "uniform", "weight_decay": 1e-3,
        },
    }  # fmt: skip


def parts(service: Service, job_id: str) -> int:
    with service.database.reading() as session:
        query = select(func.count()).select_from(CheckpointPart).where(CheckpointPart.job_id == job_id)
        return session.scalar(query) or 0


def checkpoint(service: Service, job_id: str) -> int | None:
    with service.database.reading() as session:
        return checkpoints.iteration_of(session, job_id)


def test_a_checkpoint_that_takes_longer_than_the_lease_loses_it_not(service: Service, new_worker: StartWorker) -> None:
    for _ in range(2):
        new_worker(lease_seconds=LEASE)
    job = service.submit(large_body(service, corrections=20, iterations=40))
    done = ended(service, job["id"], seconds=120)
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    size = 8 * 361_201 * (1 + 2 * 20)
    assert parts(service, job["id"]) == -(-size // checkpoints.PART_BYTES)  # and nothing is left of those before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_between_two_parts_it_goes_on_from_the_last_whole_checkpoint(
    service: Service, new_worker: StartWorker
) -> None:
    body = large_body(service, corrections=12, iterations=40)
    worker = new_worker(lease_seconds=LEASE, checkpoint_seconds=1.0)  # then it remembers all the corrections
    job = service.submit(body)
    wait_for("the first parts", lambda: parts(service, job["id"]) >= 2, every=0.005)
    work_horse(worker).kill()
    assert checkpoint(service, job["id"]) is None
    done = ended(service, job["id"], seconds=120)
    assert done["attempt"] == 2
    assert_same_as_undisturbed(service, body, done)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_asked_to_stop_it_does_not_wait_for_a_state_that_takes_long(
    service: Service, new_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = large_body(service, corrections=40, iterations=10_000_000)
    worker = new_worker(lease_seconds=LONG_LEASE, checkpoint_seconds=1.5)
    job = service.submit(body)
    wait_for("the first parts", lambda: parts(service, job["id"]) >= 2, every=0.005)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SOON) == 0
    row = row_of(service, job["id"])
    assert (row.status, row.crashes) == ("queued", 0)
