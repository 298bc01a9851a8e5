from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backprop_client.wire.resolved_jobs import ResolvedJob
from tests.support.tables import job_on, prepared
from worker.selection import select


class Stopped(Exception):
    """The attempt ended here."""


def curved(rows: int) -> dict[str, list[Any]]:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, rows))
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "y": (np.sin(2 * a) * b + 0.1 * rng.normal(size=rows)).tolist(),
    }


def open_job(table: dict[str, list[Any]]) -> ResolvedJob:
    return job_on(table, "linear", targets=["y"], network=None, training={"preset": "auto", "seed": 5})


@pytest.mark.parametrize("rows", [200, 6_000])
def test_any_number_of_threads_and_any_interruption_choose_the_same(tmp_path: Path, rows: int) -> None:
    table = curved(rows)
    job = open_job(table)
    data = prepared(tmp_path, table, job)
    recorded: list[ResolvedJob] = []
    chosen = select(job, data, 1, recorded.append)
    assert recorded[-1] == chosen
    assert select(job, data, 3, lambda _: None) == chosen
    for steps in range(1, len(recorded)):
        kept: list[ResolvedJob] = []

        def stop(each: ResolvedJob, kept: list[ResolvedJob] = kept, steps: int = steps) -> None:
            kept.append(ResolvedJob.model_validate_json(each.model_dump_json()))
            if len(kept) == steps:
                raise Stopped

        with pytest.raises(Stopped):
            select(job, data, 2, stop)
        assert select(kept[-1], data, 2, lambda _: None) == chosen


def test_a_curve_gets_hidden_units_and_a_line_gets_none(tmp_path: Path) -> None:
    table = curved(300)
    job = open_job(table)
    bent = select(job, prepared(tmp_path, table, job), 2, lambda _: None)
    assert len(bent.network.layers) == 2
    rng = np.random.default_rng(1)
    table["y"] = (np.array(table["a"]) - 2 * np.array(table["b"]) + rng.normal(size=300)).tolist()
    straight = select(job, prepared(tmp_path, table, job), 2, lambda _: None)
    assert len(straight.network.layers) == 1
    assert straight.sizes == (2, 1)


def test_an_edge_gets_relu_units(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 2_100))
    y = np.abs(a + b) + 2 * np.maximum(b - 1, 0) + 0.05 * rng.normal(size=2_100)
    table: dict[str, list[Any]] = {"a": a.tolist(), "b": b.tolist(), "y": y.tolist()}
    job = open_job(table)
    edged = select(job, prepared(tmp_path, table, job), 2, lambda _: None)
    assert [layer.activation for layer in edged.network.layers] == ["relu", "linear"]
    assert edged.training.optimizer == "lbfgs"
