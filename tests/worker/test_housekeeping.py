"""A worker has old things let go, and the room of deleted ones given back, in a process beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import removal
from infra.database import Database
from infra.settings import Settings
from infra.tables import Job, SearchedText
from tests.support.captions import add_dataset, add_job
from tests.support.waiting import wait_for
from worker import housekeeping
from worker.housekeeping import Housekeeper


def ended_job(database: Database) -> str:
    with database.writing() as session:
        job = add_job(session, add_dataset(session).id)
        job.status, job.finished_at = "failed", datetime.now(UTC) - timedelta(days=40)
        return job.id


def left(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Job.id)))


def test_what_is_deleted_goes_though_nothing_else_does(database: Database, settings: Settings) -> None:
    kept, deleted = ended_job(database), ended_job(database)
    with database.writing() as session:
        removal.delete_job(session, DEFAULT_PROJECT, deleted)
    with database.reading() as session:
        assert session.get(SearchedText, deleted) is None
    keeper = Housekeeper(settings)
    keeper.look(database)
    wait_for("the round to end", lambda: not keeper.is_under_way, 120)
    assert left(database) == {kept}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_old_things_go_once_an_hour_and_only_if_that_is_asked_for(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[list[str]] = []

    class Ended:
        def __init__(self, command: list[str], **_options: object) -> None:
            rounds.append(command)

        def poll(self) -> int:
            return 0

    now = [1_000_000.0]
    monkeypatch.setattr("worker.housekeeping.subprocess.Popen", Ended)
    monkeypatch.setattr("worker.housekeeping.time.monotonic", lambda: now[0])
    job_id = ended_job(database)
    Housekeeper(settings).look(database)
    assert rounds == []
    keeper = Housekeeper(settings.model_copy(update={"retain_failed_jobs_days": 30.0, "retain_newest": 0}))
    for _ in range(3):
        keeper.look(database)
        now[0] += 1_000
    assert len(rounds) == 1
    now[0] += 1_000
    keeper.look(database)
    assert len(rounds) == 2
    housekeeping.keep_house(settings.model_copy(update={"retain_failed_jobs_days": 50.0, "retain_newest": 0}))
    assert left(database) == {job_id}
    housekeeping.keep_house(settings.model_copy(update={"retain_failed_jobs_days": 30.0, "retain_newest": 0}))
    assert left(database) == set()
