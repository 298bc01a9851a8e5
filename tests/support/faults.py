"""Jobs that things are done to, and whether that made any difference."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import rows as jobs
from infra.tables import Job
from tests.support.service import Service
from tests.support.waiting import wait_for

StartWorker = Callable[..., subprocess.Popen[bytes]]

NETWORK = {"layers": [{"units": 20, "activation": "sigmoid"}, {"activation": "sigmoid"}]}
ITERATIONS = 3_000
TRAINING: dict[str, Any] = {
    "iterations": ITERATIONS,
    "learning_rate": 0.5,
    "weight_decay": 1e-4,
    "init": "uniform",
    "seed": 1,
}

SOON = 30.0
"""Seconds for what should take two: enough for a machine with much else to do, and little to one who waits forever."""

LONG_LEASE = 60.0
"""Seconds for which an attempt that nobody kills is believed alive, however busy the machine is."""

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "gradient_descent": {"learning_rate": 0.5, "batch_size": 300},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.1, "batch_size": 300},
    "adam and patience": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 300, "patience": 10_000},
    "patience and few measurements": {"optimizer": "adam", "batch_size": 300, "patience": 10_000, "held_out_every": 77},
    "adam in float32": {"optimizer": "adam", "learning_rate": 0.01, "dtype": "float32"},
    "lbfgs": {"optimizer": "lbfgs", "corrections": 7},
    "lbfgs and sparsity": {"optimizer": "lbfgs", "sparsity_weight": 0.01, "sparsity": 0.1},
}
"""What a training adds to `iterations`, for each way to train."""


def some_moments() -> random.Random:
    """Random moments, from a seed that is shown when the test fails."""
    seed = random.randrange(10**6)  # noqa: S311
    print(f"moments of seed {seed}")  # noqa: T201
    return random.Random(seed)  # noqa: S311


def job_body(service: Service, rows: int = 2_000, **training: Any) -> dict[str, Any]:  # noqa: ANN401
    """A job of some seconds."""
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(rows, 10)), y=rng.uniform(size=rows))
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "network": NETWORK,
        "training": {"preset": "tutorial", **TRAINING, **training},
    }


def open_body(service: Service) -> dict[str, Any]:
    """A job that leaves network and training open, so that a worker tries candidates for some seconds."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3_000, 12))
    y = np.sin(x[:, 0]) * x[:, 1] + rng.normal(size=3_000)
    dataset = service.upload_arrays(x=x, y=y)
    return {"dataset_id": dataset["id"], "targets": ["y"], "training": {"seed": 1}}


def optimizer_body(service: Service, training: dict[str, Any], iterations: int) -> dict[str, Any]:
    """A job with that optimizer and rows held out."""
    body = job_body(service)
    common = {"iterations": iterations, "weight_decay": 1e-4, "init": "uniform", "seed": 1}
    return {**body, "holdout": 0.1, "training": {"preset": "tutorial", **common, **training}}


def job_of(service: Service, job_id: str) -> dict[str, Any]:
    """The job as it is now."""
    job: dict[str, Any] = service.api.get(f"/v1/jobs/{job_id}").json()
    return job


def row_of(service: Service, job_id: str) -> Job:
    """The job's row."""
    with service.database.reading() as session:
        return jobs.get(session, DEFAULT_PROJECT, job_id)


def progressed(service: Service, job_id: str, iteration: int) -> dict[str, Any]:
    """The job once it trains and has come that far, or has ended."""

    def condition() -> dict[str, Any] | None:
        job = job_of(service, job_id)
        reached = job["status"] == "running" and (job["iteration"] or 0) >= iteration
        return job if reached or job["status"] not in ("queued", "running") else None

    return wait_for("progress", condition)


def ended(service: Service, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
    """The job once it has ended."""

    def condition() -> dict[str, Any] | None:
        job = job_of(service, job_id)
        return job if job["status"] not in ("queued", "running") else None

    return wait_for("the end", condition, seconds)


def work_horse(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that has a job, once there is one."""
    return wait_for("a work-horse", lambda: next(iter(psutil.Process(worker.pid).children()), None))


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more. Its parent may not have noticed yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def assert_same_as_undisturbed(service: Service, body: dict[str, Any], job: dict[str, Any]) -> None:
    """Compare every cost row and the bytes of the weights with a run that nothing happened to."""
    assert job["status"] == "succeeded", job["error"]
    undisturbed = ended(service, service.train(body)["id"])  # a worker may have taken it from a busy test
    rows = service.costs(job["id"])
    assert [row["iteration"] for row in rows] == list(range(job["iteration"] + 1))
    assert rows == service.costs(undisturbed["id"])
    assert job["stopped_by"] == undisturbed["stopped_by"]
    assert service.weight_bits(job["model_id"]) == service.weight_bits(undisturbed["model_id"])
