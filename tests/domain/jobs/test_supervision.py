from __future__ import annotations

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import control
from infra.database import Database
from tests.support.jobs import claimed, crash, queued_job, save_checkpoint


def test_crashes_count_until_a_checkpoint_that_is_further_on(database: Database) -> None:
    job_id = queued_job(database)
    for crashes, checkpoint in ((1, None), (1, 0), (2, None), (1, 5), (2, 5), (1, 6)):
        claimed(database, job_id)
        if checkpoint is not None:
            save_checkpoint(database, job_id, checkpoint)
        job = crash(database, job_id)
        assert (job.status, job.crashes) == ("queued", crashes)
    claimed(database, job_id)
    crash(database, job_id)
    claimed(database, job_id)
    job = crash(database, job_id)
    assert (job.status, job.error_code, job.token) == ("failed", "worker_lost", None)
    assert job.finished_at is not None


def test_a_job_whose_worker_died_after_a_cancel_is_cancelled(database: Database) -> None:
    job_id = queued_job(database)
    claimed(database, job_id)
    with database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, job_id)
    assert crash(database, job_id).status == "cancelled"
