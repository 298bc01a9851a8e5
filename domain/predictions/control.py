"""What people ask for: predictions for a dataset; that they are made no more; that they are gone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backprop_client.wire.columns import Column
from backprop_client.wire.jobs import EventKind
from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.predictions import QueuedPredictionRequest
from domain import artifact_removals, life
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.models import rows as models
from domain.models.prediction import Predictor
from domain.models.table_reading import TableReader
from domain.predictions import parts, rows
from infra.artifacts import ArtifactStore
from infra.database import Database, clock
from infra.errors import Conflict, FieldError, InvalidRequest
from infra.ids import new_id
from infra.settings import Settings
from infra.tables import Dataset, QueuedPrediction


def record(
    session: Session, project: Project, request: QueuedPredictionRequest, predictor: Predictor, settings: Settings
) -> QueuedPrediction:
    """Check the dataset against the model and record the prediction as queued.

    Args:
        session: of a writing transaction.
        project: whose model and dataset.
        request: what is asked for.
        predictor: the model.
        settings: of the service.

    Raises:
        NotFound: the project has no such model or dataset.
        InvalidRequest: the dataset has not what the model needs (``dataset_does_not_fit``).
        TooMany: too much of the project's is queued.
    """
    models.get_to_keep(session, project, request.model_id)
    dataset = datasets.get_for_a_job(session, project, request.dataset_id)
    _check(reader_of(predictor, dataset, request))
    life.refuse_too_many(session, project, settings.max_queued_jobs)
    now = clock(session)
    prediction = QueuedPrediction(
        id=new_id("prd"),
        project=project,
        model_id=request.model_id,
        dataset_id=request.dataset_id,
        unknown_categories=request.unknown_categories,
        status="queued",
        rows=dataset.rows,
        part_rows=parts.rows_of_a_part(predictor),
        rows_done=0,
        unknown={},
        attempt=0,
        crashes=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
    )
    session.add(prediction)
    session.flush()
    return prediction


def reader_of(predictor: Predictor, dataset: Dataset, asked: QueuedPredictionRequest | QueuedPrediction) -> TableReader:
    """What reads the dataset for the model.

    Raises:
        InvalidRequest: a column that the model needs is not there (``dataset_does_not_fit``).
    """
    columns = {column.name: column for column in map(Column.model_validate, dataset.columns)}
    lacking = [name for name in predictor.reader.columns if name not in columns]
    if lacking:
        raise _does_not_fit([f"The dataset has no column {name!r}, which the model needs." for name in lacking])
    unknown_categories: UnknownCategories = "as_missing" if asked.unknown_categories == "as_missing" else "refuse"
    return TableReader(predictor.reader, columns, unknown_categories)


def request_cancel(session: Session, project: Project, prediction_id: str) -> QueuedPrediction:
    """Cancel a queued one at once; ask a running one to stop. Asking again changes nothing.

    Raises:
        NotFound: there is none (code ``prediction_not_found``).
        Conflict: it has succeeded or failed already (code ``prediction_already_ended``).
    """
    prediction = rows.locked(session, project, prediction_id)
    if prediction.status in ("succeeded", "failed"):
        raise Conflict(
            "prediction_already_ended", f"It has {prediction.status} already; there is nothing left to cancel."
        )
    if prediction.status != "cancelled" and not prediction.cancel_requested:
        kind: EventKind = "cancelled" if prediction.status == "queued" else "cancel_requested"
        life.move(session, prediction, kind, cancel_requested=True)
    return prediction


def delete(project: Project, prediction_id: str, database: Database, artifacts: ArtifactStore) -> None:
    """Remove a prediction that has ended: its row first, so that no row ever names what is gone.

    Raises:
        NotFound: there is none (code ``prediction_not_found``).
        Conflict: it has not ended (code ``prediction_not_ended``).
        Unavailable: the store of its parts cannot be used right now, or the database cannot.
    """
    with database.reading() as session:
        artifacts.exists(
            parts.key_of(rows.get(session, project, prediction_id).id, 0)
        )  # told while nothing has changed
    with database.writing() as session:
        prediction = rows.locked(session, project, prediction_id)
        if prediction.status not in life.ENDED:
            raise Conflict("prediction_not_ended", f"It is {prediction.status}; cancel it first.")
        keys = list(parts.keys(prediction))
        session.delete(prediction)
        artifact_removals.add(session, keys)
    artifact_removals.carry_out(database, artifacts, keys)


def _check(reader: TableReader) -> None:
    objections = list(reader.objections())
    if objections:
        raise _does_not_fit(objections)


def _does_not_fit(told: list[str]) -> InvalidRequest:
    fields = tuple(FieldError("/dataset_id", message) for message in told[:20])
    return InvalidRequest("dataset_does_not_fit", told[0], fields)
