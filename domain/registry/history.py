"""What was changed under a registered model's name: who, when, from which version to which."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backprop_client.wire.registry import RegistryEventKind
from domain.access.projects import Project
from infra.database import clock
from infra.errors import NotFound
from infra.paging import Page
from infra.tables import RegisteredModel, RegistryEvent


@dataclass(frozen=True)
class Author:
    """Who changes something.

    Attributes:
        key_id: of the key that came with the request; None without a key.
        job_id: the job that registers its model; None for a request.
    """

    key_id: str | None = None
    job_id: str | None = None


@dataclass(frozen=True)
class Step:
    """What an event tells of versions.

    Attributes:
        alias: which one was moved or deleted.
        source: where it pointed to, or the version that was deleted.
        target: where it points to, or the version that was created.
        model_id: the model of the version that this is about.
    """

    alias: str | None = None
    source: int | None = None
    target: int | None = None
    model_id: str | None = None


NO_VERSION = Step()


def record(
    session: Session, registered: RegisteredModel, kind: RegistryEventKind, author: Author, step: Step = NO_VERSION
) -> RegistryEvent:
    """Add an event. The registered model's row must be locked, so that no other event of it gets the same number."""
    of_name = (RegistryEvent.project == registered.project, RegistryEvent.name == registered.name)
    last = session.scalar(select(func.max(RegistryEvent.sequence)).where(*of_name)) or 0
    event = RegistryEvent(
        project=registered.project,
        name=registered.name,
        sequence=last + 1,
        kind=kind,
        alias=step.alias,
        from_version=step.source,
        to_version=step.target,
        model_id=step.model_id,
        key_id=author.key_id,
        job_id=author.job_id,
        at=clock(session),
    )
    session.add(event)
    session.flush()
    return event


def list_events(session: Session, project: Project, name: str, after: int, limit: int) -> Page[RegistryEvent]:
    """The next `limit` events of the project's registered model of that name, the oldest first.

    Args:
        session: where to read.
        project: whose.
        name: of a registered model, which may have been deleted.
        after: the sequence number that the page before ended with; 0 for the first page.
        limit: how many events at most.

    Raises:
        NotFound: there has never been one (code ``registered_model_not_found``).
    """
    query = select(RegistryEvent).where(RegistryEvent.project == project, RegistryEvent.name == name)
    if session.scalar(query.limit(1)) is None:
        raise NotFound("registered_model_not_found", f"There is no registered model {name}.")
    query = query.where(RegistryEvent.sequence > after).order_by(RegistryEvent.sequence)
    rows = list(session.scalars(query.limit(limit + 1)))
    return Page(rows[:limit], has_more=len(rows) > limit)


def latest_events(session: Session, project: Project, name: str, before: int | None, limit: int) -> Page[RegistryEvent]:
    """The last `limit` events of the project's registered model of that name, the newest first.

    Args:
        session: where to read.
        project: whose.
        name: of a registered model, which may have been deleted.
        before: the sequence number that the page before ended with; None for the first page.
        limit: how many events at most.
    """
    query = select(RegistryEvent).where(RegistryEvent.project == project, RegistryEvent.name == name)
    if before is not None:
        query = query.where(RegistryEvent.sequence < before)
    rows = list(session.scalars(query.order_by(RegistryEvent.sequence.desc()).limit(limit + 1)))
    return Page(rows[:limit], has_more=len(rows) > limit)
