"""A model asked for the rows it was trained on answers what its metrics say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from backprop.coding.holdout import holdout_mask
from backprop.model import TrainedModel
from backprop.network import initial_parameters
from domain.jobs.translation import network_of
from domain.models.answer_json import answer_json
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from tests.support.tables import job_on, people, prepared
from worker.evaluation import evaluate


def rmse(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def check_scores(measured: dict[str, Any], actual: list[Any], scores: NDArray[Any]) -> None:
    """The scores of predictions give the metrics of the scores; of more than two classes they are no probabilities."""
    classes = measured["classes"]
    of_class = [np.array([label == each for label in actual]) for each in classes]
    areas = [roc_auc_score(having, scores[:, k]) for k, having in enumerate(of_class)]
    assert measured["roc_auc"]["by_class"] == pytest.approx(areas, abs=1e-3)
    if len(classes) > 2:
        assert measured["log_loss"] is measured["brier_score"] is None
    else:
        assert measured["log_loss"] == pytest.approx(log_loss(of_class[1], y_proba=scores), rel=1e-3)
        assert measured["brier_score"] == pytest.approx(brier_score_loss(of_class[1], scores[:, 1]), rel=1e-3)


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
    answered = json.loads(answer_json("mdl_1", stored.coding.targets, predictor.predict(rows)))
    answers = answered["predictions"]
    if job.task == "regression" and len(job.targets) == 1:
        answers = [{job.targets[0].name: number} for number in answers]
    scores = np.array(answered.get("scores", [()] * 200))
    held = holdout_mask(200, 0.3, job.training.seed)
    for part, mask in (("training", ~held), ("held_out", held)):
        measured = metrics[part]
        chosen = [(rows[index], answers[index]) for index in np.flatnonzero(mask)]
        assert measured["rows"] == len(chosen)
        if job.task == "classification":
            right = sum(row[job.targets[0].name] == answer for row, answer in chosen)
            assert measured["accuracy"] == pytest.approx(right / len(chosen))
            check_scores(measured, [row[job.targets[0].name] for row, _ in chosen], scores[mask])
            continue
        for name, value in measured["rmse"].items():
            actual = np.array([row[name] for row, _ in chosen], dtype=float)
            predicted = np.array([answer[name] for _, answer in chosen])
            assert value == pytest.approx(rmse(actual, predicted), rel=1e-3 if dtype == "float32" else 1e-9)
        for name, value in measured.get("accuracy", {}).items():
            assert value == pytest.approx(sum(row[name] == answer[name] for row, answer in chosen) / len(chosen))
