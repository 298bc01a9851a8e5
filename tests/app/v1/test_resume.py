"""A job that has ended goes on where it was: with the same bits as one that was asked for all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts
from domain.jobs import rows as jobs
from infra.database import Database
from tests.support.service import Service
from worker.attempt import attempt_job
from worker.shutdown import Shutdown

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "gradient_descent": {"learning_rate": 0.5},
    "mini-batches": {"learning_rate": 0.5, "batch_size": 17},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.1, "batch_size": 40},
    "adam": {"optimizer": "adam", "learning_rate": 0.01, "dtype": "float32"},
    "lbfgs": {"optimizer": "lbfgs", "corrections": 5},
    "sparsity": {"optimizer": "lbfgs", "sparsity_weight": 0.1, "sparsity": 0.2},
    "patience": {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 30, "patience": 50},
    "few measurements": {"batch_size": 30, "held_out_every": 7, "patience": 1_000},
}


def body(service: Service, iterations: int, **training: Any) -> dict[str, Any]:  # noqa: ANN401
    rng = np.random.default_rng(3)
    dataset = service.upload_arrays(x=rng.normal(size=(120, 4)), y=rng.uniform(size=120))
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "network": {"layers": [{"units": 6, "activation": "sigmoid"}, {"activation": "sigmoid"}]},
        "holdout": 0.2,
        "training": {
            "preset": "tutorial",
            "iterations": iterations,
            "init": "uniform",
            "weight_decay": 1e-4,
            **training,
        },
    }


def resume(service: Service, job_id: str, iterations: int | None = None) -> dict[str, Any]:
    """Resume the job and carry it out; gives it as ended."""
    answer = service.api.post(
        f"/v1/jobs/{job_id}/resume", json=None if iterations is None else {"iterations": iterations}
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    attempt_job(job_id, service.database, service.artifacts, service.settings, Shutdown())
    job: dict[str, Any] = service.api.get(f"/v1/jobs/{job_id}").json()
    return job


def refusal(service: Service, job_id: str, iterations: int | None = None) -> tuple[int, str]:
    answer = service.api.post(f"/v1/jobs/{job_id}/resume", json={"iterations": iterations})
    return answer.status_code, answer.json()["code"]


def weights(service: Service, job: dict[str, Any]) -> dict[str, bytes]:
    return service.weight_bits(job["model_id"])


@pytest.mark.parametrize("training", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_k_iterations_resumed_to_n_are_n_iterations(service: Service, training: dict[str, Any]) -> None:
    at_once = service.train(body(service, 60, **training))
    job = service.train(body(service, 23, **training))
    assert (job["status"], job["iteration"]) == ("succeeded", 23)
    first = weights(service, job)
    resumed = resume(service, job["id"], 60)
    assert (resumed["status"], resumed["iterations"], resumed["training"]["iterations"]) == ("succeeded", 60, 60)
    assert (resumed["attempt"], resumed["stopped_by"]) == (2, at_once["stopped_by"])
    assert service.costs(job["id"]) == service.costs(at_once["id"])
    assert weights(service, resumed) == weights(service, at_once)

    models = [service.api.get(f"/v1/models/{each['model_id']}").json() for each in (job, resumed, at_once)]
    assert weights(service, job) == first  # the first model has not changed
    assert [model["from_model_id"] for model in models] == [None, job["model_id"], None]
    assert models[1]["metrics"] == models[2]["metrics"]
    assert (models[1]["job_id"], models[1]["cost"]) == (job["id"], models[2]["cost"])


def cancelled_at(service: Service, iterations: int, reached: int) -> dict[str, Any]:
    """A job cancelled while it ran, after a checkpoint."""
    job = service.train(body(service, reached))
    with service.database.writing() as session:
        row = jobs.get(session, DEFAULT_PROJECT, job["id"])
        row.status, row.cancel_requested, row.model_id, row.iterations = "cancelled", True, None, iterations
        row.spec = {**row.spec, "training": {**row.spec["training"], "iterations": iterations}}
    cancelled: dict[str, Any] = service.api.get(f"/v1/jobs/{job['id']}").json()
    return cancelled


def test_a_cancelled_job_goes_on_to_its_end(service: Service) -> None:
    job = resume(service, cancelled_at(service, 40, 15)["id"])
    at_once = service.train(body(service, 40))
    assert (job["status"], job["cancel_requested"]) == ("succeeded", False)
    assert service.costs(job["id"]) == service.costs(at_once["id"])
    assert weights(service, job) == weights(service, at_once)


def test_a_cancelled_job_can_end_where_it_is(service: Service) -> None:
    job = resume(service, cancelled_at(service, 40, 15)["id"], 15)
    assert (job["status"], job["iteration"]) == ("succeeded", 15)
    assert weights(service, job) == weights(service, service.train(body(service, 15)))


def test_a_failed_job_is_tried_again(service: Service, database: Database) -> None:
    queued = service.submit(body(service, 30))
    with database.writing() as session:
        claim = attempts.claim(session, queued["id"], 10)
        assert claim is not None
        attempts.fail(session, claim.owner, "worker_lost", "It died.")
    job = resume(service, queued["id"])
    assert (job["status"], job["error"], job["attempt"]) == ("succeeded", None, 2)
    assert service.costs(job["id"]) == service.costs(service.train(body(service, 30))["id"])


def test_what_cannot_go_on_is_refused(service: Service) -> None:
    assert refusal(service, "job_unknown") == (404, "job_not_found")
    assert refusal(service, service.submit(body(service, 5))["id"]) == (409, "job_not_ended")
    job = service.train(body(service, 20))
    assert refusal(service, job["id"]) == (409, "nothing_left_to_train")
    assert refusal(service, job["id"], 20) == (409, "nothing_left_to_train")
    assert refusal(service, job["id"], 10_000_001) == (413, "too_many_iterations")
    assert refusal(service, cancelled_at(service, 40, 15)["id"], 14) == (422, "too_few_iterations")
    stopped = service.train(body(service, 500, patience=2, learning_rate=50.0))
    assert stopped["stopped_by"] == "patience"
    assert refusal(service, stopped["id"], 1000) == (409, "nothing_left_to_train")


def test_a_job_that_diverged_would_do_so_again(service: Service) -> None:
    spec = body(service, 200, learning_rate=1e6)
    spec["network"] = {"layers": [{"units": 6, "activation": "relu"}, {"activation": "linear"}]}
    job = service.train(spec)
    assert job["error"]["code"] == "diverged"
    assert refusal(service, job["id"]) == (409, "job_diverged")


def test_a_job_whose_dataset_is_deleted_cannot_go_on(service: Service) -> None:
    job = service.train(body(service, 5))
    assert service.api.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    assert refusal(service, job["id"], 10) == (409, "dataset_deleted")


def test_resuming_twice_is_refused_the_second_time(service: Service) -> None:
    job = service.train(body(service, 5))
    assert service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 9}).status_code == 202
    assert refusal(service, job["id"], 9) == (409, "job_not_ended")


def test_resuming_again_under_its_key_gets_the_first_answer(service: Service) -> None:
    job = service.train(body(service, 5))

    def ask(iterations: int) -> tuple[int, bytes]:
        response = service.api.post(
            f"/v1/jobs/{job['id']}/resume", json={"iterations": iterations}, headers={"Idempotency-Key": "k"}
        )
        return response.status_code, response.content

    first = ask(9)
    assert first[0] == 202
    assert ask(9) == first
    assert ask(10)[0] == 422
    assert service.attempt(job["id"])["iteration"] == 9
    assert ask(9) == first
