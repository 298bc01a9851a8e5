"""`/v1/datasets`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.concurrency import contextmanager_in_threadpool
from starlette.concurrency import run_in_threadpool

from app.access.admission import Access
from app.access.dependencies import CanAdminister, CanRead, CanTrain
from app.access.idempotency import OnceDep, Turn, answered
from app.dependencies import ArtifactsDep, DatabaseDep, Services, ServicesDep
from app.edge.heavy_work import HeavyReadsDep
from app.errors import responses
from app.v1.answers import dataset_out, dataset_summary
from app.v1.filters import WantedDep
from app.v1.parameters import After, IdPath, Limit
from app.v1.uploads import received, upload_fields
from backprop_client.wire.captions import CaptionPatch
from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import DatasetOut, DatasetPage, Preview, UploadFields
from domain import captions
from domain.access.idempotency import Answer
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.files import preview
from domain.datasets.intake import ReadUpload, delete_dataset, kept, read_upload
from domain.datasets.receiving import UploadReceiver
from domain.datasets.upload_files import upload_files
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Conflict, NotFound, TooLarge, Unavailable

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])


def _upload_body() -> dict[str, Any]:
    """The upload's body for the OpenAPI document: it is parsed as it comes, so FastAPI cannot know it."""
    schema = UploadFields.model_json_schema()
    file = {
        "type": "string",
        "format": "binary",
        "description": "CSV, Parquet, JSON rows (an array, or one a line), NPZ with `x` and `y`, or a stream of "
        "Arrow's; packed or not.",
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": schema | {"properties": {"file": file} | schema["properties"], "required": ["file"]}
            }
        },
    }


PreviewRows = Annotated[int, Query(ge=1, le=100, description="How many rows at most.")]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=DatasetOut,
    responses=responses(TooLarge, Conflict, Unavailable),
    openapi_extra={"requestBody": _upload_body()},
    operation_id="datasets_create",
)
async def create_dataset(request: Request, access: CanTrain, services: ServicesDep, once: OnceDep) -> Response:
    """Upload a table. Answers when it has been read: every column has its type and its summary."""
    settings = services.settings
    with services.upload_slots.one_of(access.project), upload_files(settings) as files:
        upload = await received(
            request, UploadReceiver(request.headers.get("content-type", ""), files.received, settings.max_upload_bytes)
        )
        fields = upload_fields(upload.fields)
        content = f"{upload.sha256}\n{upload.filename}\n{fields.model_dump_json()}"
        async with contextmanager_in_threadpool(once.turn(content)) as turn:
            if turn.first_answer is not None:
                return answered(turn.first_answer)
            read = await read_upload(files, upload, fields, services.readers, settings)
            return answered(await run_in_threadpool(_create, read, access, services, turn))


@router.get("", responses=responses(), operation_id="datasets_list")
def list_datasets(
    access: CanRead, database: DatabaseDep, wanted: WantedDep, after: After = None, limit: Limit = 20
) -> DatasetPage:
    """Datasets, newest first."""
    with database.reading() as session:
        page = datasets.list_page(session, access.project, after, limit, wanted)
    return DatasetPage(data=[dataset_summary(dataset) for dataset in page.rows], has_more=page.has_more)


@router.get("/{dataset_id}", responses=responses(NotFound), operation_id="datasets_get")
def get_dataset(dataset_id: IdPath, access: CanRead, database: DatabaseDep) -> DatasetOut:
    """One dataset with its columns."""
    with database.reading() as session:
        return dataset_out(datasets.get(session, access.project, dataset_id))


@router.patch("/{dataset_id}", responses=responses(NotFound), operation_id="datasets_update")
def change_dataset(dataset_id: IdPath, body: CaptionPatch, access: CanTrain, database: DatabaseDep) -> DatasetOut:
    """Change a dataset's name, tags or note: what the body names, and nothing else; null clears."""
    with database.writing() as session:
        dataset = datasets.locked(session, access.project, dataset_id)
        captions.change(session, dataset, body)
        return dataset_out(dataset)


@router.get("/{dataset_id}/preview", responses=responses(NotFound), operation_id="datasets_preview")
async def preview_dataset(
    dataset_id: IdPath, access: CanRead, heavy: HeavyReadsDep, artifacts: ArtifactsDep, rows: PreviewRows = 10
) -> Preview:
    """The first rows of a dataset, each in the order of its columns."""
    return await heavy.run(_preview, heavy.database, artifacts, access.project, dataset_id, rows)


@router.delete(
    "/{dataset_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound, Conflict),
    operation_id="datasets_delete",
)
def remove_dataset(dataset_id: IdPath, access: CanAdminister, database: DatabaseDep, artifacts: ArtifactsDep) -> None:
    """Delete a dataset; refused while a queued or running job needs it."""
    delete_dataset(access.project, dataset_id, database, artifacts)


def _preview(database: Database, artifacts: ArtifactStore, project: Project, dataset_id: str, rows: int) -> Preview:
    with database.reading() as session:
        dataset = datasets.get(session, project, dataset_id)
    columns = [Column.model_validate(column) for column in dataset.columns]
    try:
        first_rows = preview(artifacts, dataset.artifact, columns, rows)
    except FileNotFoundError as error:  # deleted between the two lines above
        raise NotFound("dataset_not_found", f"There is no dataset {dataset_id}.") from error
    return Preview(columns=[column.name for column in columns], rows=first_rows)


def _create(read: ReadUpload, access: Access, services: Services, turn: Turn) -> Answer:
    """Make a dataset of an upload that has been read."""
    with kept(read, access.project, services.artifacts) as dataset:
        content = dataset_out(dataset).model_dump_json().encode()
        answer = Answer(status.HTTP_201_CREATED, content, {"Location": f"/v1/datasets/{dataset.id}"})
        with services.database.writing() as session:
            datasets.add(session, dataset)
            return turn.keep(session, answer)
