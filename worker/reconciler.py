"""Brings database and Redis back together: jobs whose worker has died, and jobs that Redis has lost."""

from __future__ import annotations

import threading
import time

import structlog

from domain import life
from domain.jobs import supervision
from domain.predictions import attempts as predictions
from infra.bell import Bell
from infra.database import Database
from infra.errors import Unavailable
from infra.queue import JobQueue, connect
from infra.settings import Settings
from infra.tables import Job, QueuedPrediction
from worker.housekeeping import Housekeeper

_log = structlog.get_logger(__name__)


def recover(database: Database, max_crashes: int) -> None:
    """Requeue the jobs and predictions whose worker has died.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.writing() as session:
        supervision.recover(session, max_crashes)
        predictions.recover(session, max_crashes)


def deliver(database: Database, queue: JobQueue) -> None:
    """Deliver the queued jobs and predictions that Redis does not hold.

    Any number of workers may do this at the same time: a job delivered twice is claimed once.

    Raises:
        Unavailable: the database or Redis cannot be reached.
    """
    with database.reading() as session:
        queued = [*life.queued_ids(session, Job), *life.queued_ids(session, QueuedPrediction)]
    if not queued:
        return
    waiting = queue.waiting()
    for job_id in queued:
        if job_id not in waiting:
            _log.info("delivering a job that waits in the database only", job=job_id)
            queue.enqueue(job_id)


class Reconciler:
    """Reconciles every few seconds in a thread, and holds still while its process forks.

    A pass opens its connections and closes them again under `quiet`, so that a fork made while holding `quiet`
    inherits none.

    When the database was away, no attempt could report. Each gets the time of a lease to do so before it is taken for
    dead.
    """

    def __init__(self, settings: Settings) -> None:
        self.quiet = threading.Lock()
        self._settings = settings
        self._recover_from = 0.0
        self._housekeeper = Housekeeper(settings)

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="reconciler", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(self._settings.reconcile_seconds)
            with self.quiet:
                self.look_after_jobs()

    def look_after_jobs(self) -> None:
        """One pass. Whatever goes wrong is logged."""
        database = Database(self._settings.resolved_database_url, bell=Bell(self._settings))
        queue = JobQueue(connect(self._settings.redis_url), self._settings.queue_name)
        try:
            self._reach(database)
            if time.monotonic() >= self._recover_from:
                recover(database, self._settings.max_crashes)
            deliver(database, queue)
            self._housekeeper.look(database)
        except Unavailable as error:
            _log.warning("cannot look after lost jobs right now", reason=error.message)
        except Exception:  # a pass that fails must not be the last
            _log.exception("looking after lost jobs failed")
        finally:
            database.close()
            queue.connection.close()

    def _reach(self, database: Database) -> None:
        try:
            database.ping()
        except Unavailable:
            self._recover_from = time.monotonic() + self._settings.lease_seconds
            raise
