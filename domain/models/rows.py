"""The models' repository: what jobs have trained."""

from __future__ import annotations

from sqlalchemy.orm import Session, undefer

from backprop.model import TrainedModel
from backprop_client.wire.models import ImportanceOut
from backprop_client.wire.resolved_jobs import CellRules
from domain.access.projects import Project
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from infra.errors import Conflict, NotFound
from infra.paging import Page, page
from infra.tables import Model


def add(session: Session, model: Model) -> None:
    """Record a model."""
    session.add(model)
    session.flush()


def get(session: Session, project: Project, model_id: str) -> Model:
    """The project's model of that id, without its weights.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(project, model_id, session.get(Model, model_id))


def get_to_keep(session: Session, project: Project, model_id: str) -> Model:
    """The project's model of that id, held against deletion until the transaction ends.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(project, model_id, session.get(Model, model_id, with_for_update={"read": True}))


def get_with_weights(session: Session, project: Project, model_id: str) -> Model:
    """The project's model of that id, its weights loaded.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(project, model_id, session.get(Model, model_id, options=[undefer(Model.weights)]))


def get_with_importance(session: Session, project: Project, model_id: str) -> Model:
    """The project's model of that id, without its weights and with the importance of its columns.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(project, model_id, session.get(Model, model_id, options=[undefer(Model.importance)]))


def importance(session: Session, project: Project, model_id: str) -> ImportanceOut:
    """How much the project's model of that id needs each of its input columns.

    Raises:
        NotFound: there is none (code ``model_not_found``).
        Conflict: it was trained before that was measured (code ``importance_not_measured``).
    """
    model = get_with_importance(session, project, model_id)
    if model.importance is None:
        raise Conflict(
            "importance_not_measured",
            "This model is from before the importance of columns was measured. Train it again to have it.",
        )
    return ImportanceOut.model_validate(model.importance)


def trained(model: Model) -> TrainedModel:
    """What the row stores, ready for use; its weights must be loaded.

    Raises:
        ValueError: its parts do not belong together.
    """
    return TrainedModel.from_stored(model.network, model.preprocessing, model.weights)


def predictor(model: Model) -> Predictor:
    """What the row stores, ready to answer; its weights must be loaded. Raises ValueError as `trained` does."""
    ready = trained(model)
    stored = model.preprocessing
    cells = stored.get("cells")
    rules = None if cells is None else CellRules.model_validate(cells)
    targets = ready.coding.targets.columns
    return Predictor(ready, RowReader(ready.coding.inputs, targets, tuple(stored.get("table", ())), rules))


def list_page(session: Session, project: Project, after: str | None, limit: int) -> Page[Model]:
    """The project's models, newest first."""
    return page(session, Model, project, after=after, limit=limit)


def _found(project: Project, model_id: str, model: Model | None) -> Model:
    if model is None or model.project != project:
        raise NotFound("model_not_found", f"There is no model {model_id}.")
    return model
