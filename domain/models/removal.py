"""Deleting models, and what keeps one from being deleted."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain import captions
from domain.access.projects import Project
from domain.life import user_of
from domain.models import rows
from domain.registry import versions
from infra.errors import Conflict
from infra.tables import Job, QueuedPrediction


def delete_model(session: Session, project: Project, model_id: str) -> None:
    """Remove a model. Predictions that it has made stay.

    Raises:
        NotFound: there is none (code ``model_not_found``).
        Conflict: something that has not ended needs it (code ``model_in_use``), or it is a version of a registered
            model (``model_is_registered``).
    """
    model = rows.locked(session, project, model_id)
    versions.refuse_registered(session, model_id)
    _refuse_needed(session, project, model_id)
    captions.forget(session, model_id)
    session.delete(model)
    session.flush()


def _refuse_needed(session: Session, project: Project, model_id: str) -> None:
    """The model's row is locked, and whatever comes to need a model holds its row: nothing comes meanwhile."""
    starts_from_it = Job.spec["from_model_id"].as_string() == model_id
    predicts = QueuedPrediction, QueuedPrediction.model_id == model_id
    user = user_of(session, project, (Job, starts_from_it), predicts)
    if user is not None:
        raise Conflict("model_in_use", f"The model is needed by {user}, which has not ended; cancel that first.")
