"""The events of a job: every step of its life, in order."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.paging import Page
from infra.tables import JobEvent


def list_events(session: Session, job_id: str, after: int, limit: int) -> Page[JobEvent]:
    """The next `limit` events of a job, the oldest first.

    Args:
        session: where to read.
        job_id: which job.
        after: the sequence number that the page before ended with; 0 for the first page.
        limit: how many events at most.
    """
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.sequence > after)
    rows = list(session.scalars(query.order_by(JobEvent.sequence).limit(limit + 1)))
    return Page(rows[:limit], has_more=len(rows) > limit)
