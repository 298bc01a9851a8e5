"""From an uploaded file to a dataset, and back to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.datasets.reading.files import ReadingOptions, find_format, read_file
from app.datasets.reading.tables import Limits, store
from app.datasets.receiving import Upload
from app.datasets.schemas import UploadFields
from infra import datasets
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.ids import new_id
from infra.projects import Project
from infra.settings import Settings
from infra.tables import Dataset

_LEAST_BYTES_A_CELL = 2
"""Of a CSV file: a digit and a delimiter."""


@contextmanager
def taken_in(
    file: Path, upload: Upload, fields: UploadFields, project: Project, artifacts: ArtifactStore, settings: Settings
) -> Iterator[Dataset]:
    """Read an uploaded file and store it in canonical form. Takes as long as reading it does.

    Gives the dataset's row, which the block is to record. If the block fails, nothing is left of the content.

    Raises:
        InvalidRequest: the file cannot be read as a table; the code says why.
        TooLarge: the table is larger than the settings allow.
    """
    limits = Limits(
        rows=settings.max_rows,
        columns=settings.max_columns,
        cells=max(1, settings.max_upload_bytes // _LEAST_BYTES_A_CELL),
    )
    file_format = fields.format or find_format(file, upload.filename)
    table = read_file(file, file_format, ReadingOptions(fields.header, fields.delimiter), limits)
    dataset_id = new_id("ds")
    key = f"datasets/{dataset_id}.parquet"
    with artifacts.open_output(key) as sink:
        stored = store(table, limits, sink)
    dataset = Dataset(
        id=dataset_id,
        project=project,
        name=fields.name or upload.filename,
        format=file_format,
        filename=upload.filename,
        bytes=upload.bytes,
        sha256=upload.sha256,
        rows=stored.rows,
        columns=[column.model_dump(mode="json") for column in stored.columns],
        artifact=key,
        created_at=datetime.now(UTC),
    )
    try:
        yield dataset
    except BaseException:
        artifacts.delete(key)
        raise


def delete_dataset(project: Project, dataset_id: str, database: Database, artifacts: ArtifactStore) -> None:
    """Remove a dataset: its row first, so that no row ever names content that is gone.

    Raises:
        NotFound: the project has none of that id.
        Conflict: a job that has not ended needs it.
    """
    with database.writing() as session:
        dataset = datasets.delete(session, project, dataset_id)
    artifacts.delete(dataset.artifact)
