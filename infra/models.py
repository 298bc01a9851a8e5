"""The models' repository: what jobs have trained."""

from __future__ import annotations

from sqlalchemy.orm import Session, undefer

from infra.errors import NotFound
from infra.paging import Page, page
from infra.tables import Model


def add(session: Session, model: Model) -> None:
    """Record a model."""
    session.add(model)
    session.flush()


def get(session: Session, model_id: str) -> Model:
    """The model of that id, without its weights.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(model_id, session.get(Model, model_id))


def get_with_weights(session: Session, model_id: str) -> Model:
    """The model of that id, its weights loaded.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(model_id, session.get(Model, model_id, options=[undefer(Model.weights)]))


def list_page(session: Session, after: str | None, limit: int) -> Page[Model]:
    """Models, newest first."""
    return page(session, Model, after=after, limit=limit)


def _found(model_id: str, model: Model | None) -> Model:
    if model is None:
        raise NotFound("model_not_found", f"There is no model {model_id}.")
    return model
