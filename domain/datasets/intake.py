"""From an uploaded file to a dataset, and back to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backprop_client.wire.datasets import UploadFields
from domain import artifact_removals
from domain.access.projects import Project
from domain.datasets import rows as datasets
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.processes import FileReaders
from domain.datasets.reading.reader import ReadingTask
from domain.datasets.reading.tables import LEAST_BYTES_A_CELL, StoredTable, TableLimits
from domain.datasets.receiving import Upload
from domain.datasets.upload_files import UploadFiles
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.errors import Unavailable
from infra.ids import new_id
from infra.settings import Settings
from infra.tables import Dataset


@dataclass(frozen=True)
class ReadUpload:
    """An upload that has been read.

    Attributes:
        upload: what came.
        fields: that came with it.
        file: its content in canonical form.
        stored: what is known of that.
    """

    upload: Upload
    fields: UploadFields
    file: Path
    stored: StoredTable


async def read_upload(
    files: UploadFiles, upload: Upload, fields: UploadFields, readers: FileReaders, settings: Settings
) -> ReadUpload:
    """Read an uploaded file. Takes as long as that does, and before it as long as all `readers` have other files.

    Raises:
        InvalidRequest: the file cannot be read as a table; the code says why.
        TooLarge: the table is larger, or reading it takes more, than the settings allow.
        Unavailable: the disk is full, or somebody kills the processes that read.
    """
    task = ReadingTask(
        file=files.path,
        table=files.table,
        format=fields.format,
        options=ReadingOptions.of(fields, upload.filename),
        limits=TableLimits(
            rows=settings.max_rows,
            columns=settings.max_columns,
            cells=max(1, settings.max_upload_bytes // LEAST_BYTES_A_CELL),
        ),
        most_bytes=settings.max_reading_bytes,
        most_seconds=settings.max_reading_seconds,
    )
    return ReadUpload(upload, fields, files.table, await readers.read(task))


@contextmanager
def kept(read: ReadUpload, project: Project, artifacts: ArtifactStore) -> Iterator[Dataset]:
    """Keep the content of an upload for good.

    Gives the dataset's row, which the block is to record. If the block fails, nothing is left of the content. If the
    database goes away meanwhile, nobody knows whether the row was recorded: then the content stays, since a row must
    never name what is gone.
    """
    dataset_id = new_id("ds")
    key = f"datasets/{dataset_id}.parquet"
    artifacts.add(key, read.file)
    upload = read.upload
    dataset = Dataset(
        id=dataset_id,
        project=project,
        name=read.fields.name or upload.filename,
        tags=list(read.fields.tags or ()),
        note=read.fields.note,
        format=read.stored.read_as.format,
        filename=upload.filename,
        bytes=upload.bytes,
        sha256=upload.sha256,
        rows=read.stored.rows,
        columns=[column.model_dump(mode="json") for column in read.stored.columns],
        read_as=read.stored.read_as.model_dump(mode="json"),
        remarks=[remark.model_dump(mode="json") for remark in read.stored.remarks],
        artifact=key,
        created_at=datetime.now(UTC),
    )
    try:
        yield dataset
    except BaseException as error:
        if not (isinstance(error, Unavailable) and error.code == "database_unavailable"):
            with suppress(Unavailable):  # what went wrong first is told
                artifacts.delete(key)
        raise


def delete_dataset(project: Project, dataset_id: str, database: Database, artifacts: ArtifactStore) -> None:
    """Remove a dataset: its row first, so that no row ever names content that is gone.

    Raises:
        NotFound: the project has none of that id.
        Conflict: a job that has not ended needs it.
        Unavailable: the store of its content cannot be used right now, or the database cannot.
    """
    with database.reading() as session:
        artifacts.exists(datasets.get(session, project, dataset_id).artifact)  # told while nothing has changed
    with database.writing() as session:
        dataset = datasets.delete(session, project, dataset_id)
        artifact_removals.add(session, [dataset.artifact])
    artifact_removals.carry_out(database, artifacts, [dataset.artifact])
