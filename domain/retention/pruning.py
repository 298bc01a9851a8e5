"""Letting old things go, one by one, each in a transaction that keeps nobody waiting.

Any number of processes may do this at the same time, beside workers and clients: what is to go is locked first, and
then looked at once more. Whoever claims, resumes, names, registers or starts from it has the same lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain import artifact_removals
from domain.access.projects import Project
from domain.jobs import cost_thinning, removal
from domain.jobs import rows as jobs
from domain.models.removal import delete_model
from domain.retention import candidates
from domain.retention.rules import Rules
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.tables import Job, Model

LONGEST_PAUSE = 1.0
"""Seconds. After a transaction there is a pause as long as that took, in which others write, but none is longer."""

_LISTED_AT_ONCE = 200
"""Things. One query looks for so many."""

_log = structlog.get_logger(__name__)

What = Literal["job", "model", "costs of job"]


@dataclass(frozen=True)
class Old:
    """Something that is to go, or has gone.

    Attributes:
        what: a job, a model, or most of the costs of a job.
        project: whose.
        id: the job's or the model's.
        since: the job's end, or when the model was made.
    """

    what: What
    project: Project
    id: str
    since: datetime


@dataclass(frozen=True)
class _Kind:
    """One kind of old things.

    Attributes:
        what: they are.
        table: of their rows.
        since: the column that their age counts from.
        conditions: on their rows, of a session, a project, an age and the number of the newest.
        let_go: removes some of a thing whose row is locked; tells whether more of it is left to go.
    """

    what: What
    table: type[Job | Model]
    since: InstrumentedAttribute[Any]
    conditions: Callable[[Session, Project, timedelta, int], list[ColumnElement[bool]]]
    let_go: Callable[[Session, Project, str], bool]


def foreseen(database: Database, rules: Rules) -> Iterator[Old]:
    """What would go now."""
    for kind, age in _kinds(rules):
        yield from _old_ones(database, kind, age, rules.newest)


def prune(database: Database, rules: Rules) -> Iterator[Old]:
    """Let everything go that may by the rules; gives each thing when it has gone."""
    for kind, age in _kinds(rules):
        for old in _old_ones(database, kind, age, rules.newest):
            if _let_go(database, kind, old, age, rules.newest):
                since = old.since.isoformat(timespec="seconds")
                _log.info("let go, since it is old", what=old.what, id=old.id, project=old.project, since=since)
                yield old


def clean_up(database: Database, artifacts: ArtifactStore) -> None:
    """Give back the room of what has been deleted: rows of jobs, and artifacts that were left.

    Raises:
        Unavailable: the database or the store of artifacts cannot be used right now.
    """
    with database.reading() as session:
        removed = removal.removed_ids(session)
    for job_id in removed:
        more = True
        while more:
            with _in_turns(database) as session:
                more = removal.remove_some(session, job_id)
        _log.info("gave back the room of a deleted job", job=job_id)
    if left := artifact_removals.carry_out_late_ones(database, artifacts):
        _log.info("removed artifacts that were left", count=left)


def is_anything_left(session: Session) -> bool:
    """Whether there is room to be given back."""
    return bool(removal.removed_ids(session, limit=1)) or artifact_removals.any_late(session)


def _kinds(rules: Rules) -> Iterator[tuple[_Kind, timedelta]]:
    """What goes by the rules, and at what age. Jobs that go need not be thinned before."""
    ages = (_FAILED_JOBS, rules.failed_jobs), (_UNNAMED_MODELS, rules.unnamed_models), (_WHOLE_CURVES, rules.costs)
    return ((kind, age) for kind, age in ages if age is not None)


def _old_ones(database: Database, kind: _Kind, age: timedelta, newest: int) -> Iterator[Old]:
    with database.reading() as session:
        projects = session.scalars(select(kind.table.project).distinct()).all()
    for project in sorted(projects):
        yield from _old_ones_of(database, Project(project), kind, age, newest)


def _old_ones_of(database: Database, project: Project, kind: _Kind, age: timedelta, newest: int) -> Iterator[Old]:
    table = kind.table
    found: Sequence[Any] = []
    while True:
        after = found[-1].id if found else ""
        with database.reading() as session:
            query = select(table.id, kind.since.label("since")).where(*kind.conditions(session, project, age, newest))
            found = session.execute(query.where(table.id > after).order_by(table.id).limit(_LISTED_AT_ONCE)).all()
        yield from (Old(kind.what, project, each.id, each.since) for each in found)
        if len(found) < _LISTED_AT_ONCE:
            return


def _let_go(database: Database, kind: _Kind, old: Old, age: timedelta, newest: int) -> bool:
    """Let one thing go, if it still may; tells whether it did."""
    gone, more = False, True
    while more:
        with _in_turns(database) as session:
            if not _locked_and_still_old(session, kind, old, age, newest):
                return gone
            more = kind.let_go(session, old.project, old.id)
            gone = True
    return gone


def _locked_and_still_old(session: Session, kind: _Kind, old: Old, age: timedelta, newest: int) -> bool:
    """Lock the thing's row, unless somebody else has; tell whether it may go.

    It is looked at in a statement of its own after it was locked: that one sees what came while the lock was asked for.
    """
    row = select(kind.table.id).where(kind.table.id == old.id)
    if session.scalar(row.with_for_update(skip_locked=True)) is None:
        return False
    return session.scalar(row.where(*kind.conditions(session, old.project, age, newest))) is not None


def _let_job_go(session: Session, project: Project, job_id: str) -> bool:
    removal.delete_job(session, project, job_id)
    return False


def _let_model_go(session: Session, project: Project, model_id: str) -> bool:
    delete_model(session, project, model_id)
    return False


def _let_costs_go(session: Session, project: Project, job_id: str) -> bool:
    return cost_thinning.thin_some(session, jobs.locked(session, project, job_id))


@contextmanager
def _in_turns(database: Database) -> Iterator[Session]:
    """A transaction, and after it a pause in which others get theirs."""
    began = time.monotonic()
    with database.writing() as session:
        yield session
    time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))


_FAILED_JOBS = _Kind("job", Job, Job.finished_at, candidates.failed_jobs, _let_job_go)
_UNNAMED_MODELS = _Kind("model", Model, Model.created_at, candidates.unnamed_models, _let_model_go)
_WHOLE_CURVES = _Kind("costs of job", Job, Job.finished_at, candidates.whole_curves, _let_costs_go)
