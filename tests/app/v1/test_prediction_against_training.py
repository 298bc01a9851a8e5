"""A model asked for the rows it was trained on answers what its metrics say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.coding.holdout import holdout_mask
from backprop.model import TrainedModel
from backprop.network import initial_parameters
from domain.jobs.translation import network_of
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from tests.support.tables import job_on, people, prepared
from worker.evaluation import evaluate


def rmse(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "spec",
    [
        {"targets": ["grade"]},
        {"targets": ["colour"]},
        {"targets": ["member"], "scaling": "min_max"},
        {"targets": ["height"], "scaling": "none"},
        {"targets": ["height", "age"]},
        {"task": "reconstruction"},
    ],
)
def test_metrics_can_be_had_from_predictions(activation: str, dtype: str, spec: dict[str, Any], tmp_path: Path) -> None:
    table = people()
    job = job_on(table, activation, holdout=0.3, holdout_by="random", training={"dtype": dtype}, **spec)
    data = prepared(tmp_path, table, job)
    trained = TrainedModel(initial_parameters(network_of(job), epsilon=1.0, seed=3, dtype=dtype), data.coding)
    metrics = json.loads(json.dumps(evaluate(trained, data)))
    stored = TrainedModel.from_stored(*trained.to_stored())
    predictor = Predictor(stored, RowReader(stored.coding.inputs, (), tuple(table), None))
    rows = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    answers = [answer["prediction"] for answer in predictor.predict(rows).answers]
    held = holdout_mask(200, 0.3, job.training.seed)
    for part, mask in (("training", ~held), ("held_out", held)):
        measured = metrics[part]
        chosen = [(rows[index], answers[index]) for index in np.flatnonzero(mask)]
        assert measured["rows"] == len(chosen)
        if job.task == "classification":
            right = sum(row[job.targets[0].name] == answer for row, answer in chosen)
            assert measured["accuracy"] == pytest.approx(right / len(chosen))
            continue
        for name, value in measured["rmse"].items():
            actual = np.array([row[name] for row, _ in chosen], dtype=float)
            predicted = np.array([answer[name] for _, answer in chosen])
            assert value == pytest.approx(rmse(actual, predicted), rel=1e-3 if dtype == "float32" else 1e-9)
        for name, value in measured.get("accuracy", {}).items():
            assert value == pytest.approx(sum(row[name] == answer[name] for row, answer in chosen) / len(chosen))
