"""Predictions for the rows of a file that comes with a request.

The file is read as an uploaded one is, in a process of its own; its cells as those of the model's dataset were. So the
answer is that to the same rows in JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from backprop_client.wire.datasets import Format
from backprop_client.wire.models import UnknownCategories
from domain.datasets.files import row_batches
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.processes import FileReaders
from domain.datasets.reading.reader import ReadingTask
from domain.datasets.reading.tables import LEAST_BYTES_A_CELL, StoredTable, TableLimits
from domain.datasets.upload_files import UploadFiles
from domain.models.prediction import Predictions, Predictor
from domain.models.row_reading import RowReader
from domain.models.table_reading import TableReader, check_names
from infra.errors import TooLarge
from infra.settings import Settings


@dataclass(frozen=True)
class RowsFile:
    """A file of rows to predict.

    Attributes:
        format: its format.
        encoding: of its text; None: to be found out.
        header: whether its first row names the columns, if it is a CSV file.
    """

    format: Format
    encoding: str | None = None
    header: bool = True


async def read_rows(
    file: RowsFile, files: UploadFiles, rows: RowReader, readers: FileReaders, settings: Settings
) -> StoredTable:
    """Read a file that has been received into `files`, into `files.table`.

    Raises:
        InvalidRequest: it cannot be read as a table, or has not the model's columns (``invalid_rows``).
        TooLarge: it has more rows or cells than a request may have.
        Unavailable: the disk is full, or somebody kills the processes that read.
    """
    task = ReadingTask(
        file=files.path,
        table=files.table,
        format=file.format,
        options=_options(file, rows),
        limits=TableLimits(
            rows=settings.max_prediction_rows,
            columns=settings.max_columns,
            cells=max(1, settings.max_request_bytes // LEAST_BYTES_A_CELL),
        ),
        most_bytes=settings.max_reading_bytes,
        most_seconds=settings.max_reading_seconds,
    )
    try:
        stored = await readers.read(task)
    except TooLarge as error:
        raise _in_terms_of_predictions(error, settings) from error
    check_names(rows, stored.columns)
    return stored


def predict_file(
    predictor: Predictor, stored: StoredTable, files: UploadFiles, unknown_categories: UnknownCategories
) -> Predictions:
    """The answers to the rows of a table that has been read.

    Raises:
        InvalidRequest: rows that cannot be predicted; each problem names its row, counted from 1.
        TooLarge: the answer would be too large (``answer_too_large``).
    """
    predictor.check_answer_size(stored.rows)
    reader = TableReader(predictor.reader, {column.name: column for column in stored.columns}, unknown_categories)
    with pa.OSFile(str(files.table)) as source:
        (batch,) = row_batches(source, reader.names, stored.rows)
        return predictor.predict_batch(reader, batch)


def _options(file: RowsFile, rows: RowReader) -> ReadingOptions:
    """What is known of the file before it is read. Categories keep the form in which they are written."""
    cells = rows.cells
    texts = [
        column.name
        for column in rows.inputs.coded_columns
        if column.categories is not None and isinstance(column.categories[0], str)
    ]
    return ReadingOptions(
        header=file.header,
        decimal=None if cells is None else cells.decimal,
        encoding=file.encoding,
        missing_values=() if cells is None else cells.missing_values,
        types=dict.fromkeys(texts, "category"),
        needed=rows.columns,
        headless=(rows.columns, rows.table),
    )


def _in_terms_of_predictions(error: TooLarge, settings: Settings) -> TooLarge:
    if error.code == "too_many_rows":
        return TooLarge(
            "too_many_rows",
            f"The file has more than the {settings.max_prediction_rows:,} rows that one request may have (setting "
            "BACKPROP_MAX_PREDICTION_ROWS). Upload it as a dataset and ask for its predictions (POST /v1/predictions).",
        )
    if error.code == "too_many_cells":
        return TooLarge(
            "too_many_cells",
            "The file has more cells than the largest CSV body could hold at two bytes a cell "
            "(BACKPROP_MAX_REQUEST_BYTES). Upload it as a dataset and ask for its predictions (POST /v1/predictions).",
        )
    return error
