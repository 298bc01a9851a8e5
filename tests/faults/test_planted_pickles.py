"""Nothing is ever unpickled: pickles are planted wherever the service reads something, and none goes off."""

from __future__ import annotations

import io
import pickle
import shutil
import zlib
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from rq.defaults import DEFAULT_RESULT_TTL
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from domain.jobs import attempts, checkpoints
from infra.database import Database
from infra.ids import new_delivery_id
from infra.processes import stop
from infra.queue import JobQueue, connect
from infra.settings import Settings
from infra.tables import Job, Model
from tests.conftest import start_worker
from tests.support.pickles import PlantedPickle
from tests.support.service import Service
from tests.support.waiting import wait_for

CSV = "a,b,label\n1,2,yes\n2,1,no\n3,5,yes\n4,4,no\n"


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: which database it is makes no difference here."""
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def planted(tmp_path: Path) -> PlantedPickle:
    return PlantedPickle(tmp_path)


def job_on(dataset_id: str) -> dict[str, object]:
    return {
        "dataset_id": dataset_id,
        "targets": ["label"],
        "network": {"layers": [{"units": 2}, {}]},
        "training": {"preset": "tutorial", "iterations": 5},
    }


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.csv", "x.json", "x.parquet", "x"])
def test_in_an_upload(service: Service, planted: PlantedPickle, name: str) -> None:
    arrays = io.BytesIO()
    np.savez(arrays, x=np.array([[planted.thing]], object), y=np.array([planted.thing], object))
    for content in (planted.content, arrays.getvalue(), pickle.dumps([[planted.thing]], protocol=0)):
        response = service.api.post("/v1/datasets", files={"file": (name, content)})
        assert response.status_code in (201, 422)  # as text, a pickle may make a table
    assert not planted.was_unpickled()


def test_in_the_weights_of_a_model(service: Service, database: Database, planted: PlantedPickle) -> None:
    model_id = service.train(job_on(service.upload_csv(CSV)["id"]))["model_id"]
    with database.writing() as session:
        session.execute(update(Model).values(weights=planted.content))
    with capture_logs():
        for path in ("predict", "gradient-check"):
            response = service.api.post(f"/v1/models/{model_id}/{path}", json={"rows": [[1, 2]]})
            assert response.status_code == 500
        assert service.api.get(f"/v1/models/{model_id}/features").status_code == 500
    assert not planted.was_unpickled()


def test_in_a_checkpoint(service: Service, database: Database, planted: PlantedPickle) -> None:
    job = service.train(job_on(service.upload_csv(CSV)["id"]))
    with database.writing() as session:
        for part in checkpoints.cut(3, planted.content):
            attempts.save_checkpoint(session, job["id"], part)
        session.execute(update(Job).values(status="queued", model_id=None, finished_at=None))
        session.execute(delete(Model))
    with capture_logs():
        ended = service.attempt(job["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "internal_error")
    assert not planted.was_unpickled()


def test_in_the_queue(service: Service, settings: Settings, planted: PlantedPickle) -> None:
    """As whoever has got into Redis would: a job whose data is a pickle, as RQ's own default writes it."""
    queue = JobQueue(connect(settings.redis_url), settings.queue_name)
    dataset_id = service.upload_csv(CSV)["id"]
    before = service.submit(job_on(dataset_id))["id"]
    compressed = zlib.compress(planted.content)
    for job_id, data in ((uuid4().hex, compressed), (new_delivery_id("job_planted"), planted.content)):
        fields = {
            "data": data,
            "meta": planted.content,
            "origin": settings.queue_name,
            "status": "queued",
            "result": planted.content,
            "exc_info": compressed,
            "created_at": "2026-01-01T00:00:00.000000Z",
            "result_ttl": DEFAULT_RESULT_TTL,
        }
        queue.connection.hset(f"rq:job:{job_id}", mapping=fields)  # type: ignore[arg-type]
        queue.connection.lpush(queue.rq.key, job_id)
    after = service.submit(job_on(dataset_id))["id"]
    workers = [start_worker(settings)]

    def ended() -> bool:
        if workers[-1].poll() is not None:  # RQ gives up at what it cannot read; a worker that ends is replaced
            workers.append(start_worker(settings))
        return all(service.api.get(f"/v1/jobs/{job_id}").json()["status"] == "succeeded" for job_id in (before, after))

    try:
        wait_for("the jobs that were asked for", ended, seconds=60)
    finally:
        stop(workers[-1])
        queue.connection.close()
    assert not planted.was_unpickled()
