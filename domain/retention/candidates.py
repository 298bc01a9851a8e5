"""Which things of a project are old enough to go, and needed by nobody."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from domain.access.projects import Project
from domain.jobs import cost_thinning
from domain.life import ENDED, NOT_ENDED
from infra.database import clock
from infra.tables import Job, Model, ModelVersion, QueuedPrediction, Tagging


def failed_jobs(session: Session, project: Project, age: timedelta, newest: int) -> list[ColumnElement[bool]]:
    """Conditions on jobs: failed or cancelled so long ago, without a model, not among the newest."""
    return [
        Job.removed_at.is_(None),
        Job.status.in_(("failed", "cancelled")),
        Job.finished_at < clock(session) - age,
        ~exists(select(Model.id).where(Model.job_id == Job.id)),
        *_of_the_project(Job, project, newest),
    ]


def unnamed_models(session: Session, project: Project, age: timedelta, newest: int) -> list[ColumnElement[bool]]:
    """Conditions on models: as old as that, nobody has said anything of them, and nothing needs them."""
    waits = Job.project == Model.project, Job.status.in_(NOT_ENDED), Job.spec["from_model_id"].as_string() == Model.id
    predicts = QueuedPrediction.project == Model.project, QueuedPrediction.status.in_(NOT_ENDED)
    return [
        Model.created_at < clock(session) - age,
        Model.name.is_(None),
        Model.note.is_(None),
        ~exists(select(Tagging.tag).where(Tagging.thing_id == Model.id)),
        ~exists(select(ModelVersion.number).where(ModelVersion.model_id == Model.id)),
        ~exists(select(Job.id).where(*waits)),
        ~exists(select(QueuedPrediction.id).where(*predicts, QueuedPrediction.model_id == Model.id)),
        *_of_the_project(Model, project, newest),
    ]


def whole_curves(session: Session, project: Project, age: timedelta, newest: int) -> list[ColumnElement[bool]]:
    """Conditions on jobs: ended so long ago, with more costs than stay of a thinned one."""
    return [
        Job.removed_at.is_(None),
        Job.status.in_(ENDED),
        Job.finished_at < clock(session) - age,
        Job.iteration >= cost_thinning.POINTS,
        or_(Job.thinned_before.is_(None), Job.thinned_before <= Job.iteration),
        *_of_the_project(Job, project, newest),
    ]


def _of_the_project(table: type[Job | Model], project: Project, newest: int) -> list[ColumnElement[bool]]:
    """Conditions on rows: of the project, and not among its newest."""
    if newest == 0:
        return [table.project == project]
    other = aliased(table)
    there = [other.project == project]
    if table is Job:
        there.append(other.removed_at.is_(None))  # type: ignore[union-attr]  # a job
    oldest_that_stays = select(other.id).where(*there).order_by(other.id.desc()).offset(newest - 1).limit(1)
    # Where there are fewer, nothing is below it: the comparison is unknown.
    return [table.project == project, table.id < oldest_that_stays.scalar_subquery()]
