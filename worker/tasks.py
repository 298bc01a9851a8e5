"""What RQ calls, by its dotted name (`infra.queue.TASK`)."""

from __future__ import annotations

import gc

from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.settings import Settings
from worker.attempt import attempt_job
from worker.shutdown import Shutdown
from worker.writer import ProcessWriter

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Objects. Every iteration makes one that is not garbage. Looking for garbage after every 700 of them takes 4 % of a
small job's time."""


def train(job_id: str) -> None:
    """Carry out the job of that id, with connections of this process's own."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    settings = Settings()
    database = Database(settings.resolved_database_url)
    shutdown = Shutdown()
    shutdown.on_sigterm()
    try:
        artifacts = ArtifactStore(settings.resolved_artifacts_uri)
        attempt_job(job_id, database, artifacts, settings, shutdown, ProcessWriter)
    finally:
        database.close()
