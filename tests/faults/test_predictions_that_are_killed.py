"""Queued predictions whose workers are killed, stopped or told to cancel: every row is there once, and right."""

from __future__ import annotations

import io
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any

import numpy as np
import psutil
import pytest
from pyarrow import parquet

from domain.predictions import parts
from tests.support.faults import LONG_LEASE, SOON, StartWorker, has_ended, some_moments, work_horse
from tests.support.service import Service
from tests.support.waiting import wait_for

ROWS = 60_000
PART_ROWS = 200
"""Rows. A part of so few takes some hundredths of a second, most of which goes into storing it."""


@pytest.fixture
def asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A model and its dataset, of many parts."""
    monkeypatch.setattr(parts, "PREDICTED_BYTES", 8 * 4 * PART_ROWS)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 4))
    dataset = service.upload_arrays(x=x, y=x.sum(axis=1))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 8, "activation": "tanh"}, {"activation": "linear"}]},
            "training": {"iterations": 2, "learning_rate": 0.01},
        }
    )
    return job["model_id"], dataset["id"]


def now(service: Service, prediction_id: str) -> dict[str, Any]:
    prediction: dict[str, Any] = service.api.get(f"/v1/predictions/{prediction_id}").json()
    return prediction


def under_way(service: Service, prediction_id: str, rows: int) -> dict[str, Any]:
    """The prediction once so many rows are done, or it has ended."""

    def condition() -> dict[str, Any] | None:
        prediction = now(service, prediction_id)
        goes_on = prediction["status"] in ("queued", "running")
        return prediction if prediction["rows_done"] >= rows or not goes_on else None

    return wait_for("some rows", condition)


def ended(service: Service, prediction_id: str) -> dict[str, Any]:
    """The prediction once it has ended."""

    def condition() -> dict[str, Any] | None:
        prediction = now(service, prediction_id)
        return prediction if prediction["status"] not in ("queued", "running") else None

    return wait_for("the end", condition, seconds=120.0)


def horses_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The process that has the prediction, if there is one."""
    return psutil.Process(worker.pid).children()


def content(service: Service, prediction_id: str) -> Any:  # noqa: ANN401
    headers = {"accept": "application/vnd.apache.parquet"}
    response = service.api.get(f"/v1/predictions/{prediction_id}/rows", headers=headers)
    assert response.status_code == 200, response.text
    return parquet.read_table(io.BytesIO(response.content))


def assert_undisturbed(service: Service, asked: tuple[str, str], prediction: dict[str, Any]) -> None:
    """Compare all rows, bit by bit, with a prediction that nothing happened to."""
    assert prediction["status"] == "succeeded", prediction["error"]
    assert prediction["rows_done"] == prediction["rows"] == ROWS
    undisturbed = service.predict_dataset(*asked)
    fetched = content(service, prediction["id"])
    assert fetched.num_rows == ROWS
    assert fetched.equals(content(service, undisturbed["id"]))


def test_killed_at_any_moment_it_goes_on_after_the_last_part(
    service: Service, asked: tuple[str, str], new_worker: StartWorker
) -> None:
    moments = some_moments()
    prediction = service.queue_prediction(*asked)
    worker = new_worker()
    done, killed = 0, 0
    while killed < 3 and under_way(service, prediction["id"], done + 1)["status"] == "running":
        time.sleep(moments.uniform(0, 0.1))
        before = now(service, prediction["id"])["rows_done"]
        assert before > done  # what is done is not done again
        done = before
        for horse in horses_of(worker):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                horse.kill()
                killed += 1
    assert killed > 0
    assert_undisturbed(service, asked, ended(service, prediction["id"]))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_is_stopped_hands_it_on(
    service: Service, asked: tuple[str, str], new_worker: StartWorker
) -> None:
    prediction = service.queue_prediction(*asked)
    worker = new_worker(lease_seconds=LONG_LEASE)
    before = under_way(service, prediction["id"], 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SOON) == 0
    after = now(service, prediction["id"])
    assert after["status"] == "queued"
    assert after["rows_done"] >= before["rows_done"]
    new_worker(lease_seconds=LONG_LEASE)
    done = ended(service, prediction["id"])
    assert done["attempt"] == 2
    assert_undisturbed(service, asked, done)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_running_one_is_cancelled_within_a_second_or_so(
    service: Service, asked: tuple[str, str], new_worker: StartWorker
) -> None:
    prediction = service.queue_prediction(*asked)
    worker = new_worker()
    under_way(service, prediction["id"], 1)
    horse = work_horse(worker)
    answer = service.api.post(f"/v1/predictions/{prediction['id']}/cancel").json()
    assert answer["status"] in ("running", "cancelled")
    assert ended(service, prediction["id"])["status"] == "cancelled"
    wait_for("the end of the work-horse", lambda: has_ended(horse), SOON)
