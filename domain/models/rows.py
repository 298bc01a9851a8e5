"""The models' repository: what jobs have trained."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, undefer

from backprop.model import TrainedModel
from backprop_client.wire.models import ImportanceOut
from backprop_client.wire.resolved_jobs import CellRules
from domain import captions
from domain.access.projects import Project
from domain.captions import EVERYTHING, Wanted
from domain.models.prediction import Predictor
from domain.models.row_reading import RowReader
from infra.codec import from_bytes
from infra.errors import Conflict, NotFound
from infra.paging import Page, page
from infra.tables import Job, Model

MATRICES_AND_CURVES = ("confusion_matrix", "roc_curve", "reliability_curve")
"""Metrics of many values, which a list of models leaves out."""

_LIGHT = (defer(Model.metrics, raiseload=True), defer(Model.preprocessing, raiseload=True))
"""How models are loaded of which no more is shown than a list does."""


def add(session: Session, model: Model) -> None:
    """Record a model, which gets the name and the tags that its job has now."""
    job = session.get_one(Job, model.job_id)
    model.name, model.tags = job.name, list(job.tags)
    model.listed_metrics = {name: _without_curves(part) for name, part in model.metrics.items()}
    captions.index(session, model)
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


def is_there(session: Session, project: Project, model_id: str) -> bool:
    """Whether the project has a model of that id."""
    return session.scalar(select(Model.id).where(Model.id == model_id, Model.project == project)) is not None


def several(session: Session, project: Project, model_ids: Collection[str]) -> dict[str, Model]:
    """Those of these models that the project has, by their ids, without what a list does not show."""
    found = select(Model).options(*_LIGHT).where(Model.project == project, Model.id.in_(model_ids))
    return {model.id: model for model in session.scalars(found)}


def locked(session: Session, project: Project, model_id: str) -> Model:
    """The project's model of that id; nobody else changes or needs it until the transaction ends.

    Raises:
        NotFound: there is none (code ``model_not_found``).
    """
    return _found(project, model_id, session.get(Model, model_id, with_for_update=True, populate_existing=True))


def job_of(session: Session, model: Model) -> Job:
    """The job that has trained the model. Its row is there as long as the model is, be the job deleted or not."""
    return session.get_one(Job, model.job_id)


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
    return TrainedModel.from_stored(model.network, model.preprocessing, from_bytes(model.weights))


def predictor(model: Model) -> Predictor:
    """What the row stores, ready to answer; its weights must be loaded. Raises ValueError as `trained` does."""
    ready = trained(model)
    stored = model.preprocessing
    cells = stored.get("cells")
    rules = None if cells is None else CellRules.model_validate(cells)
    targets = ready.coding.targets.columns
    return Predictor(ready, RowReader(ready.coding.inputs, targets, tuple(stored.get("table", ())), rules))


def list_page(
    session: Session, project: Project, after: str | None, limit: int, wanted: Wanted = EVERYTHING
) -> Page[Model]:
    """Those of the project's models that are wanted, newest first, without what a list does not show."""
    conditions = wanted.conditions(Model, project)
    return page(session, Model, project, *conditions, after=after, limit=limit, loading=_LIGHT)


def targets(session: Session, of_models: Sequence[Model]) -> dict[str, list[str]]:
    """The target columns of each of some models, by its id; none of a reconstruction."""
    jobs = {model.job_id for model in of_models}
    found = session.execute(select(Job.id, Job.spec["targets"]).where(Job.id.in_(jobs)))
    names = {job_id: [target["name"] for target in stored] for job_id, stored in found}
    return {model.id: names[model.job_id] for model in of_models}


def _without_curves(part: dict[str, Any] | None) -> dict[str, Any] | None:
    """The metrics of some rows, or those of the trivial model, which has rows of both kinds."""
    if part is None:
        return None
    return {
        name: _without_curves(value) if name in ("training", "held_out") else value
        for name, value in part.items()
        if name not in MATRICES_AND_CURVES
    }


def _found(project: Project, model_id: str, model: Model | None) -> Model:
    if model is None or model.project != project:
        raise NotFound("model_not_found", f"There is no model {model_id}.")
    return model
