"""Predictions by hand: one row from a form, or a file of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.access.dependencies import CanPredict
from app.dependencies import DatabaseDep, ServicesDep, TrainedModelsDep
from app.pages.forms import FormDep
from app.pages.models.facts import Headline, known
from app.pages.models.inputs import Answer, InputField, answer_for, filled_in, input_fields, row_of
from app.pages.rendering import page_response
from app.v1.parameters import IdPath
from domain.datasets.upload_files import UploadFiles, upload_files
from domain.datasets.writing import written
from domain.models.file_prediction import RowsFile, predict_file, read_rows
from infra.errors import FieldError, InvalidRequest
from infra.full_disks import full_disk_told

router = APIRouter(prefix="/models")


@dataclass(frozen=True)
class PredictionPage:
    """What a model says of the row that was sent.

    Attributes:
        headline: which model it is.
        fields: of the form, with what was sent.
        answer: what the model says; None where that cannot be read.
        problem: why; None if it can.
    """

    template: ClassVar[str] = "models/prediction.html"
    headline: Headline
    fields: Sequence[InputField]
    answer: Answer | None
    problem: str | None

    @property
    def title(self) -> str:
        """Whose prediction."""
        return f"Prediction of {self.headline.name or self.headline.id}"


@router.post("/{model_id}/predict")
def predict_row(
    request: Request,
    model_id: IdPath,
    form: FormDep,
    access: CanPredict,
    database: DatabaseDep,
    trained_models: TrainedModelsDep,
) -> Response:
    """Answer the row that the form says."""
    with database.reading() as session:
        model = known(session, access.project, model_id)
        fields, headline = input_fields(model.coding, model.columns, model.whole), model.headline
    predictor = trained_models.get(access.project, model_id)
    try:
        answer = answer_for(predictor, row_of(form, model.coding))
    except InvalidRequest as error:
        page = PredictionPage(headline, filled_in(fields, form, error), None, error.message)
        return page_response(request, page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return page_response(request, PredictionPage(headline, filled_in(fields, form, None), answer, None))


@router.post("/{model_id}/predict-file")
async def predict_rows_of_file(
    model_id: IdPath, form: FormDep, access: CanPredict, services: ServicesDep, trained_models: TrainedModelsDep
) -> Response:
    """Answer the rows of a CSV file, as one."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        problem = "There is no file: choose one."
        raise InvalidRequest("invalid_request", problem, (FieldError("file", problem),))
    predictor = await run_in_threadpool(trained_models.get, access.project, model_id)
    with upload_files(services.settings) as files:
        await run_in_threadpool(_kept, file, files)
        stored = await read_rows(RowsFile("csv"), files, predictor.reader, services.row_readers, services.settings)

        def answers() -> bytes:
            predictions = predict_file(predictor, stored, files, "refuse")
            return b"".join(written(predictor.answer_schema, predictor.answer_table(predictions), "csv"))

        content = await run_in_threadpool(answers)
    name = f"predictions-{model_id}.csv"
    return Response(content, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, "text/csv")


def _kept(file: UploadFile, files: UploadFiles) -> None:
    """Write the file down, for the process that reads it."""
    with full_disk_told():
        shutil.copyfileobj(file.file, files.received)
        files.received.flush()
