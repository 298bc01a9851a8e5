"""Every optimizer trains over REST, and says with which costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.support.service import Service


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": "momentum", "learning_rate": 0.05},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 16},
        {"optimizer": "lbfgs"},
    ],
    ids=["momentum", "adam", "mini-batches", "lbfgs"],
)
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_classes_are_learned(service: Service, training: dict[str, Any], output: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    y = np.where(x[:, 0] + x[:, 1] > 0, "above", "below")
    dataset = service.upload_arrays(x=x, y=y)
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 5, "activation": "tanh"}, {"activation": output}]},
            "holdout": 0.2,
            "training": {"preset": "tutorial", "iterations": 150, "init": "uniform", **training},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    rows = service.costs(job["id"])
    assert [row["iteration"] for row in rows] == list(range(job["iteration"] + 1))
    assert rows[-1]["cost"] < rows[0]["cost"]
    every = math.ceil(96 / training["batch_size"]) if "batch_size" in training else 1
    assert [row["iteration"] for row in rows if row["held_out_cost"] is not None] == list(range(0, len(rows), every))
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    assert model["metrics"]["held_out"]["accuracy"] > 0.8
    if output == "softmax":
        scores = service.answer(model["id"], x[:5].tolist())["scores"]
        assert [sum(of_row) for of_row in scores] == pytest.approx([1] * 5)


def test_patience_ends_a_job_early_and_says_so(service: Service) -> None:
    rng = np.random.default_rng(1)
    dataset = service.upload_arrays(x=rng.normal(size=(40, 5)), y=rng.normal(size=40))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 20, "activation": "tanh"}, {"activation": "sigmoid"}]},
            "holdout": 0.5,
            "training": {
                "preset": "tutorial",
                "iterations": 5000,
                "optimizer": "adam",
                "learning_rate": 0.05,
                "patience": 20,
            },
        }
    )
    assert (job["status"], job["stopped_by"]) == ("succeeded", "patience")
    assert job["iteration"] < 5000
    held_out = [row["held_out_cost"] for row in service.costs(job["id"])]
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    assert model["iteration"] == int(np.argmin(held_out))
