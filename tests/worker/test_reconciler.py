"""After an outage of the database nobody is taken for dead before having had the time to report."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import rows as jobs
from infra.database import Database
from infra.errors import Unavailable
from infra.settings import Settings
from tests.support.jobs import claimed, queued_job, status
from tests.support.waiting import wait_for
from worker.reconciler import Reconciler


def test_after_an_outage_attempts_have_a_lease_s_time_to_report(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = queued_job(database)
    claimed(database, job_id)
    reconciler = Reconciler(settings.model_copy(update={"lease_seconds": 1.0}))

    def away(_database: Database) -> None:
        raise Unavailable("database_unavailable", "away")

    with monkeypatch.context() as outage:
        outage.setattr(Database, "ping", away)
        reconciler.look_after_jobs()
    since = time.monotonic()
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=60)

    def recovered() -> bool:
        reconciler.look_after_jobs()
        return status(database, job_id) == "queued"

    wait_for("the job to be recovered", recovered)
    assert time.monotonic() - since >= 1.0


def test_without_an_outage_a_lease_that_has_run_out_is_enough(database: Database, settings: Settings) -> None:
    job_id = queued_job(database)
    claimed(database, job_id)
    with database.writing() as session:
        jobs.get(session, DEFAULT_PROJECT, job_id).lease_expires_at = datetime.now(UTC) - timedelta(seconds=1)
    Reconciler(settings).look_after_jobs()
    assert status(database, job_id) == "queued"
