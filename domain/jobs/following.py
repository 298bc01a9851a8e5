"""Following jobs: what there is to tell of one to somebody who has heard of it up to some place.

Everything comes from the database, so that a listener goes on wherever it was, with any process of the API. Of a job
there are two sorts of news: costs, in the order of iterations, and events, in the order of their sequence numbers. An
event comes after the costs that had been recorded before it.

An attempt that follows another one removes the costs past the checkpoint and records the same bits again. Who has seen
them does not see them twice: there is nothing past a listener's iteration until the job is further than it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backprop.training import Record
from domain.access.projects import Project
from domain.jobs import costs, rows
from domain.life import ENDED, NOT_ENDED
from infra.tables import EventNumber, Job, JobEvent

MOST_EVENTS = 100
"""Events. No more of a job, or of a project, are read at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a listener has heard of a job.

    Attributes:
        iteration: the last one whose cost it knows; −1 for none.
        sequence: the sequence number of the last event it knows; 0 for none.
        knows_end: whether it has been told that, after that event, there is nothing more.
    """

    iteration: int = -1
    sequence: int = 0
    knows_end: bool = False


@dataclass(frozen=True)
class Situation:
    """How a job stands.

    Attributes:
        job: its row.
        newest: the place of a listener who knows all that there is, but for the end.
    """

    job: Job
    newest: Place

    @property
    def has_ended(self) -> bool:
        """Whether the job has, for the time being: it may be resumed."""
        return self.job.status in ENDED

    def has_news_for(self, place: Place) -> bool:
        """Whether there is anything behind that place, but for the end."""
        return self.newest.iteration > place.iteration or self.newest.sequence > place.sequence


@dataclass(frozen=True)
class News:
    """What follows a place.

    Attributes:
        steps: costs and events, in the order in which a listener is told of them.
        has_more: whether more was there when they were read.
    """

    steps: Sequence[list[Record] | JobEvent]
    has_more: bool


@dataclass(frozen=True)
class ProjectNews:
    """Which of a project's jobs have taken steps.

    Attributes:
        events: the first ones past a number, in the order of all events.
        number: of the last event that has been looked at, be it of this project or not.
    """

    events: Sequence[JobEvent]
    number: int


def situation(session: Session, job_id: str) -> Situation | None:
    """How the job stands; None if it has been deleted."""
    last = select(func.max(JobEvent.sequence)).where(JobEvent.job_id == job_id).scalar_subquery()
    found = session.execute(select(Job, last).where(Job.id == job_id, Job.removed_at.is_(None))).one_or_none()
    if found is None:
        return None
    job, sequence = found
    return Situation(job, Place(_known(job.iteration), sequence or 0))


def news(session: Session, job_id: str, place: Place, most_rows: int, points: int | None = None) -> News:
    """What there is of a job behind a place.

    Args:
        session: where to read.
        job_id: the job. Nothing is left of one that has been deleted.
        place: where the listener is.
        most_rows: so many costs at most.
        points: instead, all costs that there are, thinned to at most so many as by `costs.thin_rows`.
    """
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.sequence > place.sequence)
    # Before the costs: then these have all that had been recorded before an event that is seen.
    events = session.scalars(query.order_by(JobEvent.sequence).limit(MOST_EVENTS)).all()
    if points is None:
        records, more_records = costs.list_rows(session, job_id, place.iteration, most_rows)
    else:
        records, more_records = _thinned(session, job_id, place.iteration, points), False
    due = events
    if more_records:  # what happened after costs that are not among these has to wait
        last = records[-1].iteration
        waiting = (index for index, event in enumerate(events) if _known(event.iteration) > last)
        due = events[: next(waiting, len(events))]
    has_more = more_records or len(due) < len(events) or len(events) == MOST_EVENTS
    return News(list(_in_order(records, due)), has_more)


def newest_number(session: Session) -> int:
    """The number of the newest event of all jobs of all projects."""
    return session.execute(select(EventNumber.newest)).scalar_one()


def project_news(session: Session, project: Project, after: int) -> ProjectNews:
    """Which of the project's jobs have taken steps past the event of that number."""
    newest = newest_number(session)  # before the events: none of a lower number comes any more
    if newest <= after:  # less in a database that an older backup has brought back
        return ProjectNews((), newest)
    query = (
        select(JobEvent)
        .join(Job, Job.id == JobEvent.job_id)
        .where(JobEvent.number > after, JobEvent.number <= newest, Job.project == project, Job.removed_at.is_(None))
        .order_by(JobEvent.number)
        .limit(MOST_EVENTS)
    )
    events = session.scalars(query).all()
    return ProjectNews(events, events[-1].number if len(events) == MOST_EVENTS else newest)


def under_way(session: Session, project: Project) -> dict[str, Place]:
    """The project's jobs that a worker has begun and that have not ended; and the newest place in each."""
    last = select(func.max(JobEvent.sequence)).where(JobEvent.job_id == Job.id).correlate(Job).scalar_subquery()
    found = session.execute(
        select(Job.id, Job.iteration, last)
        .where(Job.project == project, Job.status.in_(NOT_ENDED), Job.attempt > 0, Job.removed_at.is_(None))
        .order_by(Job.id)
    )
    return {job_id: Place(_known(at), sequence or 0) for job_id, at, sequence in found}


def those_of(session: Session, project: Project, job_ids: Sequence[str]) -> list[str]:
    """Those of the jobs that the project has."""
    found = session.scalars(
        select(Job.id).where(Job.id.in_(job_ids), Job.project == project, Job.removed_at.is_(None))
    ).all()
    return [job_id for job_id in job_ids if job_id in set(found)]


def sequences_up_to(session: Session, number: int, job_ids: Iterable[str]) -> dict[str, int]:
    """Of each job the sequence number of its last event that is not past the one of that number."""
    found = session.execute(
        select(JobEvent.job_id, func.max(JobEvent.sequence))
        .where(JobEvent.job_id.in_(job_ids), JobEvent.number <= number)
        .group_by(JobEvent.job_id)
    )
    return dict(found.tuples().all())


def _thinned(session: Session, job_id: str, after: int, points: int) -> list[Record]:
    job = session.get(Job, job_id)
    if job is None:
        return []
    thinned_before = job.thinned_before or 0
    return costs.thin_rows(session, job_id, after, points, None, rows.held_out_every(job), thinned_before)


def _in_order(records: list[Record], events: Sequence[JobEvent]) -> Iterator[list[Record] | JobEvent]:
    """Each event after the costs that had been recorded before it, and the costs in as few pieces as that allows."""
    start = 0
    for event in events:
        last = _known(event.iteration)
        end = next((index for index in range(start, len(records)) if records[index].iteration > last), len(records))
        if end > start:
            yield records[start:end]
            start = end
        yield event
    if start < len(records):
        yield records[start:]


def _known(iteration: int | None) -> int:
    """The iteration of a listener who knows all costs up to this one."""
    return -1 if iteration is None else iteration
