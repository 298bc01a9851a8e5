"""Deleting jobs. A job may have millions of costs, so it goes bit by bit, in transactions that keep nobody waiting.

With `removed_at` in its row a job is gone for everybody who asks. Then its costs, its checkpoint and its events go, and
at last its row, which a model of it still needs: it says how the model's columns were read and coded. Events go after
all the rest, so whoever comes later sees by them what is left to do.
"""

from __future__ import annotations

from sqlalchemy import Select, delete, exists, or_, select
from sqlalchemy.orm import Session

from domain import captions
from domain.access.projects import Project
from domain.jobs import checkpoints, costs, rows, snapshots
from domain.life import ENDED
from domain.models import removal as models
from infra.database import changed, transaction_time
from infra.errors import Conflict
from infra.tables import Job, JobEvent, Model

ROWS_AT_ONCE = 10_000
"""Cost rows. SQLite removes so many in some 20 ms."""


def delete_job(session: Session, project: Project, job_id: str, *, with_models: bool = False) -> None:
    """Have the job be gone for everybody. `remove_some` gives back the room it takes.

    Args:
        session: of a writing transaction.
        project: whose job.
        job_id: which.
        with_models: whether its models are deleted too. Else they stay, and can do all they could.

    Raises:
        NotFound: there is none (code ``job_not_found``).
        Conflict: it has not ended (code ``job_not_ended``), or one of its models is needed (code ``model_in_use``).
    """
    job = rows.locked(session, project, job_id)
    if job.status not in ENDED:
        raise Conflict("job_not_ended", f"The job is {job.status}; cancel it first.")
    if with_models:
        for model_id in session.scalars(select(Model.id).where(Model.job_id == job_id).order_by(Model.id)).all():
            models.delete_model(session, project, model_id)
    mark(session, job)


def mark(session: Session, job: Job) -> None:
    """The same for a job whose row is locked, and that has ended."""
    captions.forget(session, job.id)
    job.removed_at = transaction_time(session)
    session.flush()
    changed(session, job.id)


def removed_ids(session: Session, limit: int | None = None) -> list[str]:
    """The deleted jobs of which something is left that can go."""
    return list(session.scalars(_with_something_left().limit(limit)))


def remove_some(session: Session, job_id: str) -> bool:
    """Remove some of what is left of a deleted job; tells whether more is left that can go.

    Any number of processes may do this at the same time.
    """
    query = _with_something_left().where(Job.id == job_id).with_for_update(skip_locked=True, of=Job)
    if session.scalar(query) is None:  # done, or somebody else is at it
        return False
    if costs.remove_first(session, job_id, ROWS_AT_ONCE) or checkpoints.remove_some(session, job_id):
        return True
    snapshots.remove_from(session, job_id, 0)
    session.execute(delete(JobEvent).where(JobEvent.job_id == job_id))
    session.execute(
        delete(Job)
        .where(Job.id == job_id, ~exists(select(Model.id).where(Model.job_id == job_id)))
        .execution_options(synchronize_session=False)
    )
    return False


def _with_something_left() -> Select[str]:
    has_events = exists(select(JobEvent.job_id).where(JobEvent.job_id == Job.id))
    has_models = exists(select(Model.id).where(Model.job_id == Job.id))
    return select(Job.id).where(Job.removed_at.is_not(None), or_(has_events, ~has_models)).order_by(Job.id)
