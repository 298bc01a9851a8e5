from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backprop.model import TrainedModel
from backprop.network import initial_parameters
from backprop.trivial import TrivialModel
from domain.jobs.translation import network_of
from tests.support.tables import job_on, people, prepared
from worker.evaluation import evaluate


@pytest.mark.parametrize("holdout", [0.0, 0.25])
def test_training_and_held_out_rows_are_measured_each_for_itself(holdout: float, tmp_path: Path) -> None:
    table = people()
    job = job_on(table, holdout=holdout, targets=["grade"])
    data = prepared(tmp_path, table, job)
    model = TrainedModel(initial_parameters(network_of(job), epsilon=2.0, seed=1, dtype=np.float64), data.coding)
    metrics = evaluate(model, data)
    trivial = TrivialModel.of_training_rows(data.coding.targets, data.Y)
    assert set(metrics) == {"training", "held_out", "trivial"}
    assert set(metrics["trivial"]) == {"prediction", "training", "held_out"}
    assert metrics["trivial"]["prediction"] == trivial.prediction
    assert metrics["trivial"]["training"] == {"rows": len(data.X), **trivial.metrics(data.Y)}
    assert metrics["training"] == {"rows": len(data.X), **model.metrics(data.X, data.Y)}
    if data.X_held is None or data.Y_held is None:
        assert holdout == 0
        assert metrics["held_out"] is metrics["trivial"]["held_out"] is None
    else:
        assert metrics["held_out"] == {"rows": 50, **model.metrics(data.X_held, data.Y_held)}
        assert metrics["held_out"] != metrics["training"]
        assert metrics["trivial"]["held_out"] == {"rows": 50, **trivial.metrics(data.Y_held)}
