"""`/v1/predictions`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import StreamingResponse

from app.access.dependencies import CanAdminister, CanPredict, CanRead
from app.access.idempotency import OnceDep, answered
from app.dependencies import ArtifactsDep, DatabaseDep, QueueDep, SettingsDep, TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep, HeavyWork
from app.edge.media_types import TABLES, negotiated
from app.errors import responses
from app.v1.answers import queued_prediction_out
from app.v1.parameters import After, IdPath, Limit
from backprop_client.wire.predictions import QueuedPredictionOut, QueuedPredictionPage, QueuedPredictionRequest
from domain.access.idempotency import Answer
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.writing import written
from domain.jobs.submission import deliver
from domain.predictions import control
from domain.predictions import rows as predictions
from domain.predictions.table import AnswerTable, Inputs, stored_schema
from infra.artifacts import ArtifactStore
from infra.errors import Conflict, NotAcceptable, NotFound
from infra.tables import QueuedPrediction

router = APIRouter(prefix="/v1/predictions", tags=["predictions"])

POLL_SECONDS = 1
"""Seconds. `Retry-After` tells this to a client that has just asked for predictions."""

_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORMS = list(TABLES)

WithInputs = Annotated[bool, Query(description="Whether the dataset's columns stand before those of the answers.")]
Accept = Annotated[str | None, Header(description=f"What to answer in: {', '.join(_FORMS)}. Default: the first.")]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=QueuedPredictionOut,
    responses=responses(NotFound, Conflict),
    operation_id="predictions_create",
)
def create_prediction(
    body: QueuedPredictionRequest,
    access: CanPredict,
    trained_models: TrainedModelsDep,
    database: DatabaseDep,
    queue: QueueDep,
    settings: SettingsDep,
    once: OnceDep,
) -> Response:
    """Queue predictions for all rows of a dataset. What can be told without reading its rows is told now."""
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        predictor = trained_models.get(access.project, body.model_id)
        with database.writing() as session:
            prediction = control.record(session, access.project, body, predictor, settings)
            answer = turn.keep(session, _accepted(prediction))
        deliver(prediction.id, queue)
    return answered(answer)


@router.get("", responses=responses(), operation_id="predictions_list")
def list_predictions(
    access: CanRead, database: DatabaseDep, after: After = None, limit: Limit = 20
) -> QueuedPredictionPage:
    """Queued predictions, newest first, those that have ended included."""
    with database.reading() as session:
        page = predictions.list_page(session, access.project, after, limit)
    return QueuedPredictionPage(data=[queued_prediction_out(row) for row in page.rows], has_more=page.has_more)


@router.get("/{prediction_id}", responses=responses(NotFound), operation_id="predictions_get")
def get_prediction(prediction_id: IdPath, access: CanRead, database: DatabaseDep) -> QueuedPredictionOut:
    """One queued prediction: how far it has come."""
    with database.reading() as session:
        return queued_prediction_out(predictions.get(session, access.project, prediction_id))


@router.get(
    "/{prediction_id}/rows",
    response_class=Response,
    responses={
        **responses(NotFound, NotAcceptable, Conflict),
        200: {"content": dict.fromkeys(TABLES, _FILE)},
    },
    operation_id="predictions_rows",
)
async def get_rows(
    prediction_id: IdPath,
    access: CanRead,
    heavy: HeavyReadsDep,
    artifacts: ArtifactsDep,
    with_inputs: WithInputs = False,
    accept: Accept = None,
) -> Response:
    """The answers, a row for each row of the dataset and in the same order, once the prediction has succeeded.

    The columns are those of an answer to a file. Where the dataset's columns are there, one whose name the dataset has
    too gets `predicted_` before it.
    """
    form = negotiated(accept, _FORMS)
    table = await heavy.run(_table, heavy, artifacts, access.project, prediction_id, with_inputs)
    pieces = written(table.schema, table.batches(), TABLES[form])
    # The first piece comes before the answer begins, so that what is wrong can still be told.
    first = await heavy.run(next, pieces, b"")

    async def stream() -> AsyncIterator[bytes]:
        yield first
        while piece := await heavy.run(next, pieces, b""):
            yield piece

    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{prediction_id}.{_SUFFIXES[form]}"',
    }
    return StreamingResponse(stream(), 200, headers, form)


@router.post("/{prediction_id}/cancel", responses=responses(NotFound, Conflict), operation_id="predictions_cancel")
def cancel_prediction(prediction_id: IdPath, access: CanPredict, database: DatabaseDep) -> QueuedPredictionOut:
    """Cancel a queued one at once, a running one within a second or so."""
    with database.writing() as session:
        return queued_prediction_out(control.request_cancel(session, access.project, prediction_id))


@router.delete(
    "/{prediction_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="predictions_delete",
)
def remove_prediction(
    prediction_id: IdPath, access: CanAdminister, database: DatabaseDep, artifacts: ArtifactsDep
) -> None:
    """Delete a prediction and its rows; refused before it has ended."""
    control.delete(access.project, prediction_id, database, artifacts)


_SUFFIXES = {
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrows",
}


def _table(
    heavy: HeavyWork,
    artifacts: ArtifactStore,
    project: Project,
    prediction_id: str,
    with_inputs: bool,
) -> AnswerTable:
    """What is to be fetched.

    Raises:
        NotFound: there is none (``prediction_not_found``).
        Conflict: it has not succeeded (``prediction_not_ready``), or its dataset is gone, or the prediction itself has
            been deleted meanwhile (``dataset_deleted``).
    """
    inputs = None
    with heavy.database.reading() as session:
        prediction = predictions.get(session, project, prediction_id)
        if prediction.status != "succeeded":
            raise Conflict(
                "prediction_not_ready", f"It is {prediction.status}, and its rows are there once it succeeds."
            )
        if with_inputs:
            try:
                inputs = Inputs.of(datasets.get(session, project, prediction.dataset_id))
            except NotFound as error:
                raise Conflict("dataset_deleted", f"The dataset {prediction.dataset_id} has been deleted.") from error
    return AnswerTable(artifacts, prediction, stored_schema(artifacts, prediction), inputs)


def _accepted(prediction: QueuedPrediction) -> Answer:
    headers = {"Location": f"/v1/predictions/{prediction.id}", "Retry-After": str(POLL_SECONDS)}
    return Answer(status.HTTP_202_ACCEPTED, queued_prediction_out(prediction).model_dump_json().encode(), headers)
