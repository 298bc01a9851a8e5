from __future__ import annotations

from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import rows as jobs
from infra.database import Database
from tests.support.jobs import queued_job


def test_jobs_are_listed_newest_first_in_pages(database: Database) -> None:
    ids = sorted((queued_job(database) for _ in range(5)), reverse=True)
    with database.reading() as session:
        first = jobs.list_page(session, DEFAULT_PROJECT, after=None, limit=2)
        second = jobs.list_page(session, DEFAULT_PROJECT, after=first.rows[-1].id, limit=3)
    assert [job.id for job in first.rows + second.rows] == ids
    assert (first.has_more, second.has_more) == (True, False)
