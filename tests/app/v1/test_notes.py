"""What ended jobs say of themselves: nothing, if the training was good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from tests.support.service import Service

Training = dict[str, Any]

REAL_TABLES = ("iris", "wine", "breast_cancer", "diabetes", "digits")

GOOD_TRAININGS: dict[str, Training] = {
    "gradient descent": {"init": "uniform", "learning_rate": 0.2},
    "momentum in mini-batches": {"optimizer": "momentum", "init": "uniform", "batch_size": 32, "epochs": 30},
    "adam": {"optimizer": "adam", "init": "uniform", "learning_rate": 0.005, "iterations": 250},
    "adam in mini-batches": {
        "optimizer": "adam",
        "init": "uniform",
        "batch_size": 32,
        "epochs": 40,
        "dtype": "float32",
    },
    "adam and patience": {"optimizer": "adam", "init": "uniform", "batch_size": 32, "epochs": 200, "patience": 300},
    "lbfgs": {"optimizer": "lbfgs", "init": "uniform", "weight_decay": 0.03, "iterations": 100},
}


def real_body(service: Service, table: str, hidden: tuple[int, ...], training: Training) -> dict[str, Any]:
    """A job on a table of scikit-learn's."""
    loaded = getattr(datasets, f"load_{table}")()
    is_regression = table == "diabetes"
    columns = {f"x{k}": values for k, values in enumerate(loaded.data.T)}
    target = loaded.target if is_regression else loaded.target_names[loaded.target].astype(str)
    text = ",".join([*columns, "y"]) + "\n"
    text += "".join(f"{','.join(map(str, row))},c{y}\n" for row, y in zip(loaded.data, target, strict=True))
    if is_regression:
        text = text.replace(",c", ",")
    return {
        "dataset_id": service.upload_csv(text)["id"],
        "targets": ["y"],
        "network": {
            "layers": [
                *({"units": units, "activation": "sigmoid" if len(hidden) > 1 else "tanh"} for units in hidden),
                {"activation": "linear" if is_regression else "softmax"},
            ]
        },
        "holdout": 0.25,
        "training": {"preset": "tutorial"} | training,
    }


def codes(job: dict[str, Any]) -> set[str]:
    return {note["code"] for note in job["notes"]}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", REAL_TABLES)
@pytest.mark.parametrize("training", GOOD_TRAININGS.values(), ids=GOOD_TRAININGS)
def test_a_good_training_has_no_notes(service: Service, table: str, training: Training) -> None:
    more: Training = {"weight_decay": 0.01, "seed": 1} | training
    if table == "diabetes" and "patience" not in training:
        more["weight_decay"] = 0.03  # 442 noisy rows are over-fitted by anything else
    job = service.train(real_body(service, table, (6,), more))
    assert job["status"] == "succeeded"
    assert job["notes"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", REAL_TABLES)
@pytest.mark.parametrize(
    "training", [{"learning_rate": 0.1}, {"learning_rate": 1e-7}], ids=["two hidden layers of the page", "tiny steps"]
)
def test_a_training_that_learns_nothing_says_so(service: Service, table: str, training: Training) -> None:
    job = service.train(real_body(service, table, (16, 16), training))
    assert job["status"] == "succeeded"
    assert "cost_stood_still" in codes(job)
    assert "no_better_than_trivial" in codes(job)


def test_one_that_learns_by_heart_says_since_when_it_over_fits(service: Service) -> None:
    body = real_body(service, "diabetes", (40,), {"optimizer": "lbfgs", "init": "uniform", "iterations": 150})
    job = service.train(body)
    notes = {note["code"]: note["message"] for note in job["notes"]}
    rows = service.costs(job["id"])
    lowest = min(rows, key=lambda row: row["held_out_cost"])["iteration"]
    assert f"since iteration {lowest}," in notes["held_out_cost_rose"]
    assert "cost_stood_still" not in notes


def test_steps_that_are_too_long_say_that_j_did_not_fall(service: Service) -> None:
    training = {"learning_rate": 2.5, "weight_decay": 1.0, "init": "uniform", "iterations": 40}
    job = service.train(real_body(service, "iris", (6,), training))
    assert codes(job) >= {"cost_did_not_fall"}


def test_noise_has_a_model_no_better_than_the_mean(service: Service) -> None:
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(200, 5)), y=rng.normal(size=200))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 20, "activation": "tanh"}, {"activation": "linear"}]},
            "holdout": 0.3,
            "training": {"preset": "tutorial", "optimizer": "lbfgs", "init": "uniform", "iterations": 200},
        }
    )
    assert codes(job) == {"no_better_than_trivial", "held_out_cost_rose"}


def test_notes_are_gone_when_the_job_goes_on(service: Service) -> None:
    job = service.train(real_body(service, "iris", (16, 16), {"learning_rate": 1e-7, "iterations": 50}))
    assert codes(job)
    answer = service.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": 60})
    assert answer.json()["notes"] == []
    assert codes(service.attempt(job["id"])) == codes(job)


@pytest.mark.parametrize("gradient_check", [False, True])
def test_a_j_that_is_not_finite_at_the_start_is_no_fault_of_the_learning_rate(
    service: Service, gradient_check: bool
) -> None:
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(50, 2)) * 1e140, y=rng.normal(size=50))
    body = {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "scaling": "none",
        "gradient_check": gradient_check,
        "network": {"layers": [{"units": 3, "activation": "linear"}, {"activation": "linear"}]},
        "training": {"preset": "tutorial", "epsilon": 1e30, "iterations": 5},
    }
    job = service.train(body)
    assert job["error"]["code"] == "diverged"
    assert "iteration 0" in job["error"]["message"]
    assert "learning_rate" not in job["error"]["message"]
    later = service.train(
        {**body, "scaling": "standardize", "training": {"preset": "tutorial", "epsilon": 1.0, "learning_rate": 1e6}}
    )
    assert later["error"]["code"] == "diverged"
    assert "learning_rate" in later["error"]["message"]
