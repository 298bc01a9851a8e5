from __future__ import annotations

import pytest

from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.jobs.estimates import (
    ITERATION_SECONDS,
    TRIAL_ITERATION_SECONDS,
    USUAL_SPEED,
    estimated_seconds,
    multiplications,
)
from infra.database import Database
from infra.tables import Job
from tests.support.jobs import queued_job
from tests.support.tables import job_on, people


def succeeded(database: Database, spec: ResolvedJob, rate: float | None) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        job = session.get_one(Job, job_id)
        job.spec, job.status, job.rate = spec.model_dump(mode="json"), "succeeded", rate


def test_what_counts_is_multiplied() -> None:
    table = people(100)
    full = job_on(table, targets=["height"])
    assert multiplications(full) == full.parameters * 3 * 100
    held = job_on(table, targets=["height"], holdout=0.2)
    assert multiplications(held) == held.parameters * (3 * 80 + 20)
    batches = job_on(table, targets=["height"], training={"batch_size": 10})
    assert multiplications(batches) == batches.parameters * 3 * 10
    both = job_on(table, targets=["height"], holdout=0.2, training={"batch_size": 10})
    assert multiplications(both) == both.parameters * (3 * 10 + 20 / 8)  # 8 updates are an epoch
    assert multiplications(job_on(table, targets=["height"], training={"optimizer": "lbfgs"})) > multiplications(full)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_trials_take_their_time_until_they_have_chosen(database: Database) -> None:
    open_job = job_on(people(200), "linear", targets=["height"], network=None, training={"preset": "auto"})
    assert open_job.selection is not None
    chosen = open_job.model_copy(update={"selection": open_job.selection.model_copy(update={"chosen": 0})})
    with database.reading() as session:
        difference = estimated_seconds(session, open_job) - estimated_seconds(session, chosen)
    trials = 0.5 * 8 * 5 * 60
    of_one = TRIAL_ITERATION_SECONDS + open_job.parameters * 3 * 1.2 * 160 / USUAL_SPEED
    assert difference == pytest.approx(trials * of_one)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_newest_jobs_tell_how_fast_the_workers_are(database: Database) -> None:
    job = job_on(people(200), targets=["height"]).model_copy(update={"rows": 10**7})
    iterations = job.training.iterations
    with database.reading() as session:
        guess = estimated_seconds(session, job)
    assert guess == pytest.approx(iterations * (ITERATION_SECONDS + multiplications(job) / USUAL_SPEED))
    for rate in (2.0, 4.0, 8.0, None):
        succeeded(database, job, rate)
    small = job_on(people(100), targets=["height"])
    succeeded(database, small, 20_000.0)  # nothing but calls and recording
    with database.reading() as session:
        assert estimated_seconds(session, job) == pytest.approx(iterations / 4, rel=1e-3)
        assert estimated_seconds(session, small) == pytest.approx(iterations * ITERATION_SECONDS, rel=0.1)
