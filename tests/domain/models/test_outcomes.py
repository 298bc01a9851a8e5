"""Actual and predicted numbers of rows: those rows that training held out, those answers that metrics measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.v1.answers import model_out
from domain.access.projects import Project
from domain.models import outcomes as subject
from domain.models import rows as models
from domain.models.outcomes import Outcomes, outcomes
from tests.support.service import Service, csv_text

MINE = Project("default")


def table() -> str:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 2)).round(3).tolist()
    targets = ["" if row == 7 else str(round(a + b, 3)) for row, (a, b) in enumerate(X)]
    return csv_text(["a", "b", "sum"], [(*values, target) for values, target in zip(X, targets, strict=True)])


def found(service: Service, target: str = "sum", **job: Any) -> tuple[Outcomes, dict[str, Any]]:  # noqa: ANN401
    dataset = service.upload_csv(table())
    ended = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["sum"],
            "network": {"layers": [{"units": 3}, {}]},
            "training": {"iterations": 20, "seed": 8},
            **job,
        }
    )
    model_id = ended["model_id"]
    with service.database.reading() as session:
        row = models.get_with_weights(session, MINE, model_id)
        trained, metrics = models.trained(row), model_out(row).metrics
    return outcomes(MINE, model_id, trained, service.database, service.artifacts, target), metrics


def rmse(actual: Any, predicted: Any) -> float:  # noqa: ANN401
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def test_rows_are_those_that_were_held_out_and_answers_those_that_were_measured(service: Service) -> None:
    rows, metrics = found(service, holdout=0.25)
    assert rows.held_out is not None
    assert len(rows.actual) == 59  # one row has no target
    for part, of_part in (("held_out", rows.held_out), ("training", ~rows.held_out)):
        assert rmse(rows.actual[of_part], rows.predicted[of_part]) == pytest.approx(metrics[part]["rmse"]["sum"])


def test_without_a_holdout_all_rows_were_trained_on(service: Service) -> None:
    rows, metrics = found(service)
    assert rows.held_out is not None
    assert not rows.held_out.any()
    assert rmse(rows.actual, rows.predicted) == pytest.approx(metrics["training"]["rmse"]["sum"])


def test_which_rows_are_held_out_is_not_said_where_it_is_not_known(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "MOST_DEALT", 10)
    monkeypatch.setattr(subject, "MOST_ROWS", 12)
    rows, _ = found(service, holdout=0.25)
    assert rows.held_out is None
    assert len(rows.actual) == 12
