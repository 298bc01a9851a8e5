"""Epochs instead of iterations, and held-out rows that are measured now and then, from the request to the costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import rows as jobs
from tests.support.service import Service, csv_text


def body(service: Service, **job: Any) -> dict[str, Any]:  # noqa: ANN401
    """A regression on 90 rows that have all values, of 100."""
    rng = np.random.default_rng(5)
    x, z, y = rng.normal(size=(3, 100)).round(3).tolist()
    columns = [["" if k in (3, 5, 7, 9, 11) else v for k, v in enumerate(x)], z, y]
    columns[1] = ["" if k in (20, 21, 22, 23, 11, 9) else v for k, v in enumerate(z)]
    columns[2] = ["" if k == 50 else v for k, v in enumerate(y)]
    dataset = service.upload_csv(csv_text(("x", "z", "y"), zip(*columns, strict=True)))
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "missing": "drop_rows",
        "network": {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "linear"}]},
        **job,
    }


def measured(service: Service, job: dict[str, Any]) -> list[int]:
    costs = service.costs(job["id"])
    assert [row["iteration"] for row in costs] == list(range(job["iteration"] + 1))
    return [row["iteration"] for row in costs if row["held_out_cost"] is not None]


def test_a_worker_that_has_counted_the_rows_settles_the_epochs(service: Service) -> None:
    request = body(service, holdout=0.1, training={"learning_rate": 0.01, "batch_size": 9, "epochs": 4})
    queued = service.submit(request)
    at_most = math.ceil((94 - 9) / 9)
    assert (queued["iterations"], queued["training"]["held_out_every"]) == (4 * at_most, None)
    job = service.attempt(queued["id"])
    assert job["rows"]["training"] == 81
    assert (job["status"], job["iteration"], job["iterations"]) == ("succeeded", 36, 36)
    training = job["training"]
    assert (training["epochs"], training["iterations"], training["held_out_every"]) == (4, 36, 9)
    assert measured(service, job) == [0, 9, 18, 27, 36]


def test_the_bits_are_those_of_as_many_iterations_measured_all_the_time(service: Service) -> None:
    training = {"learning_rate": 0.01, "batch_size": 10, "epochs": 3}
    job = service.train(body(service, holdout=0.2, training=training))
    iterations = job["iterations"]
    same = {"learning_rate": 0.01, "batch_size": 10, "iterations": iterations, "held_out_every": 1}
    other = service.train(body(service, holdout=0.2, training=same))
    assert measured(service, other) == list(range(iterations + 1))
    every = job["training"]["held_out_every"]
    assert every == math.ceil(job["rows"]["training"] / 10)
    blanked = [
        row if row["iteration"] % every == 0 else {**row, "held_out_cost": None} for row in service.costs(other["id"])
    ]
    assert service.costs(job["id"]) == blanked
    weights, others = service.weights(job["model_id"]), service.weights(other["model_id"])
    assert all(weights[name].tobytes() == others[name].tobytes() for name in weights)


def test_without_mini_batches_an_epoch_is_an_iteration_and_each_is_measured(service: Service) -> None:
    job = service.train(body(service, holdout=0.2, training={"learning_rate": 0.01, "epochs": 5}))
    assert (job["iterations"], job["training"]["held_out_every"]) == (5, 1)
    assert measured(service, job) == list(range(6))
    assert service.train(body(service, training={"epochs": 0}))["iteration"] == 0


def test_a_resumed_job_goes_by_its_iterations(service: Service) -> None:
    training = {"learning_rate": 0.01, "batch_size": 9, "epochs": 2, "patience": 1_000}
    request = body(service, holdout=0.1, training=training)
    job = service.train(request)
    answer = service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 31})
    assert answer.status_code == 202
    resumed = service.attempt(job["id"])
    assert (resumed["iteration"], resumed["training"]["epochs"]) == (31, None)
    at_once = service.train({**request, "training": {**training, "epochs": None, "iterations": 31}})
    assert service.costs(job["id"]) == service.costs(at_once["id"])
    models = [service.api.get(f"/v1/models/{each['model_id']}").json() for each in (resumed, at_once)]
    assert models[0]["metrics"] == models[1]["metrics"]
    assert measured(service, resumed) == [0, 9, 18, 27]


@pytest.mark.parametrize("iterations", [None, 12])
def test_a_job_that_was_resumed_before_it_began_has_the_epochs_unless_told_otherwise(
    service: Service, iterations: int | None
) -> None:
    queued = service.submit(body(service, training={"learning_rate": 0.01, "batch_size": 9, "epochs": 4}))
    assert service.api.post(f"/v1/jobs/{queued['id']}/cancel").json()["status"] == "cancelled"
    assert service.api.post(f"/v1/jobs/{queued['id']}/resume", json={"iterations": iterations}).status_code == 202
    job = service.attempt(queued["id"])
    assert (job["iteration"], job["iterations"]) == (iterations or 40, iterations or 40)


def test_a_queued_job_of_before_measures_at_every_iteration(service: Service) -> None:
    training = {"learning_rate": 0.01, "batch_size": 9, "iterations": 25}
    queued = service.submit(body(service, holdout=0.1, training=training))
    with service.database.writing() as session:
        row = jobs.get(session, DEFAULT_PROJECT, queued["id"])
        old = {name: value for name, value in row.spec["training"].items() if name not in ("held_out_every", "epochs")}
        row.spec = {**row.spec, "training": old}
    assert measured(service, service.attempt(queued["id"])) == list(range(26))


def test_a_thinned_curve_shows_held_out_costs_too(service: Service) -> None:
    training = {"learning_rate": 0.001, "batch_size": 9, "epochs": 60}
    job = service.train(body(service, holdout=0.1, training=training))
    rows = service.api.get(f"/v1/jobs/{job['id']}/costs", params={"points": 100}).json()["data"]
    shown = [row["iteration"] for row in rows if row["held_out_cost"] is not None]
    assert len(rows) <= 100
    assert len(shown) >= 15
    assert shown[0] == 0


def test_the_two_that_need_each_other_or_exclude_each_other_are_refused(service: Service) -> None:
    for training, code in (
        ({"held_out_every": 2}, "held_out_every_needs_holdout"),
        ({"epochs": 2, "iterations": 3}, "iterations_and_epochs"),
    ):
        answer = service.api.post("/v1/jobs", json=body(service, training=training))
        assert (answer.status_code, answer.json()["code"]) == (422, code)
