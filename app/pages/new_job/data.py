"""The first step of a new job: bring a table, or choose one that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.access.admission import Access
from app.access.cookies import TOKEN_FIELD, refuse_other_pages
from app.access.dependencies import CanRead, CanTrain
from app.access.state import SIGN_IN
from app.dependencies import Services, ServicesDep
from app.errors import field_errors
from app.pages.new_job.fields import OF_READING, Field, Wrong, sorted_by_field
from app.pages.rendering import page_response
from app.v1.answers import dataset_summary
from app.v1.uploads import received, upload_fields
from backprop_client.wire.datasets import DatasetSummary
from backprop_client.wire.error_codes import STATUS_OF
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.intake import ReadUpload, kept, read_upload
from domain.datasets.receiving import UploadReceiver
from domain.datasets.upload_files import upload_files
from infra.database import Database
from infra.errors import InvalidRequest, TooLarge, TooMany
from infra.settings import Settings

router = APIRouter()

UPLOAD = "/jobs/new/upload"
"""Where the form sends its file. Its body is written to disk as it comes."""

DATASETS_SHOWN = 10

_FIELDS = {"/file": "file"} | {f"/{each.name}": each.name for each in OF_READING}


@dataclass(frozen=True)
class DataPage:
    """The form that takes a file, and the newest datasets.

    Attributes:
        datasets: the newest that are there.
        has_more: whether there are older ones.
        fields: what can be said of how the file is read.
        values: what they say, by name.
        wrong: what is wrong with the last try.
        most_bytes: of a file.
    """

    template: ClassVar[str] = "new_job/data.html"
    title: ClassVar[str] = "New job"
    datasets: Sequence[DatasetSummary]
    has_more: bool
    fields: Sequence[Field]
    values: Mapping[str, str]
    wrong: Wrong
    most_bytes: int


@dataclass
class _Said:
    """What the fields of a form say, as far as it has come."""

    fields: dict[str, str] = field(default_factory=dict)


def data_page(
    database: Database,
    project: Project,
    settings: Settings,
    values: Mapping[str, str] | None = None,
    wrong: Wrong | None = None,
) -> DataPage:
    """The page, with what was typed before and what was wrong with that."""
    with database.reading() as session:
        newest = datasets.list_page(session, project, None, DATASETS_SHOWN)
        summaries = [dataset_summary(dataset) for dataset in newest.rows]
    return DataPage(summaries, newest.has_more, OF_READING, values or {}, wrong or Wrong(), settings.max_upload_bytes)


@router.post(UPLOAD)
async def upload(request: Request, access: CanTrain, _reader: CanRead, services: ServicesDep) -> Response:
    """Make a dataset of a file, and go on with it. What is wrong with the file is said beside the form."""
    said = _Said()
    try:
        dataset_id = await _taken_in(request, access, services, said)
    except (InvalidRequest, TooLarge, TooMany) as error:
        wrong = sorted_by_field(error.fields, _FIELDS) if error.fields else Wrong({"file": [error.message]})
        status = STATUS_OF[error.kind]
    except RequestValidationError as error:
        wrong, status = sorted_by_field(field_errors(error.errors()), _FIELDS), HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        return RedirectResponse(f"/jobs/new?dataset={dataset_id}", HTTPStatus.SEE_OTHER)
    page = await run_in_threadpool(data_page, services.database, access.project, services.settings, said.fields, wrong)
    return page_response(request, page, status)


async def _taken_in(request: Request, access: Access, services: Services, said: _Said) -> str:
    """The id of the dataset that the form's file has become.

    Its token comes before the file, so that nothing of another page's file is kept, not even for a moment.
    """
    sign_in: str | None = getattr(request.state, SIGN_IN, None)

    def refuse(fields: Mapping[str, str]) -> None:
        if sign_in is not None:
            refuse_other_pages(sign_in, fields.get(TOKEN_FIELD))

    settings = services.settings
    with services.upload_slots.one_of(access.project), upload_files(settings) as files:
        form_type = request.headers.get("content-type", "")
        receiver = UploadReceiver(form_type, files.received, settings.max_upload_bytes, refuse)
        came = await received(request, receiver)
        said.fields = {name: value for name, value in came.fields.items() if name != TOKEN_FIELD}
        read = await read_upload(files, came, upload_fields(said.fields), services.readers, settings)
        return await run_in_threadpool(_created, read, access.project, services)


def _created(read: ReadUpload, project: Project, services: Services) -> str:
    with kept(read, project, services.artifacts) as dataset:
        dataset_id: str = dataset.id
        with services.database.writing() as session:
            datasets.add(session, dataset)
    return dataset_id
