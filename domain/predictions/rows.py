"""The repository of queued predictions. What moves them on is in `attempts` and `control`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain.access.projects import Project
from infra.errors import NotFound
from infra.paging import Page, page
from infra.tables import QueuedPrediction


def get(session: Session, project: Project, prediction_id: str) -> QueuedPrediction:
    """The project's queued prediction of that id.

    Raises:
        NotFound: there is none (code ``prediction_not_found``).
    """
    return _found(project, prediction_id, session.get(QueuedPrediction, prediction_id))


def locked(session: Session, project: Project, prediction_id: str) -> QueuedPrediction:
    """The same; nobody else changes it until the transaction ends."""
    row = session.get(QueuedPrediction, prediction_id, with_for_update=True, populate_existing=True)
    return _found(project, prediction_id, row)


def list_page(session: Session, project: Project, after: str | None, limit: int) -> Page[QueuedPrediction]:
    """The project's queued predictions, newest first."""
    return page(session, QueuedPrediction, project, after=after, limit=limit)


def _found(project: Project, prediction_id: str, row: QueuedPrediction | None) -> QueuedPrediction:
    if row is None or row.project != project:
        raise NotFound("prediction_not_found", f"There is no prediction {prediction_id}.")
    return row
