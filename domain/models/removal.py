"""Deleting models, and what keeps one from being deleted."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain import captions
from domain.access.projects import Project
from domain.models import rows
from infra.errors import Conflict
from infra.tables import Job, QueuedPrediction

NOT_ENDED = ("queued", "running")


def delete_model(session: Session, project: Project, model_id: str) -> None:
    """Remove a model. Predictions that it has made stay.

    Raises:
        NotFound: there is none (code ``model_not_found``).
        Conflict: something needs it (code ``model_in_use``).
    """
    model = rows.locked(session, project, model_id)
    reason = needed_by(session, project, model_id)
    if reason is not None:
        raise Conflict("model_in_use", reason)
    captions.forget(session, model_id)
    session.delete(model)
    session.flush()


def needed_by(session: Session, project: Project, model_id: str) -> str | None:
    """A sentence about what needs the model, and what to do about that; None if nothing does.

    It is exact as long as the model's row is locked: whatever comes to need a model holds its row.
    """
    starts_from_it = Job.spec["from_model_id"].as_string() == model_id
    for table, needs_it in ((Job, starts_from_it), (QueuedPrediction, QueuedPrediction.model_id == model_id)):
        user = session.scalar(
            select(table.id).where(table.project == project, table.status.in_(NOT_ENDED), needs_it).limit(1)
        )
        if user is not None:
            return f"The model is needed by {user}, which has not ended; cancel that first."
    return None
