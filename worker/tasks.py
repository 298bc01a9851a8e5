"""What RQ calls, by its dotted name (`infra.queue.TASKS`)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from infra.artifacts import ArtifactStore
from infra.bell import Bell
from infra.database import Database
from infra.settings import Settings
from worker.attempt import attempt_job
from worker.prediction import attempt_prediction
from worker.shutdown import Shutdown
from worker.writer import ProcessWriter

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Objects. Every iteration makes one that is not garbage. Looking for garbage after every 700 of them takes 4 % of a
small job's time."""


def train(job_id: str) -> None:
    """Carry out the job of that id, with connections of this process's own."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    with _parts() as (settings, database, artifacts, shutdown):
        attempt_job(job_id, database, artifacts, settings, shutdown, ProcessWriter)


def predict(prediction_id: str) -> None:
    """Make the queued prediction of that id, with connections of this process's own."""
    with _parts() as (settings, database, artifacts, shutdown):
        attempt_prediction(prediction_id, database, artifacts, settings, shutdown)


@contextmanager
def _parts() -> Iterator[tuple[Settings, Database, ArtifactStore, Shutdown]]:
    """What an attempt works with. The process takes SIGTERM as its request to end from now on."""
    settings = Settings()
    database = Database(settings.resolved_database_url, bell=Bell(settings))
    shutdown = Shutdown()
    shutdown.on_sigterm()
    try:
        yield settings, database, ArtifactStore(settings.resolved_artifacts_uri), shutdown
    finally:
        database.close()
