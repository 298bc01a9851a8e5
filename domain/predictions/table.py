"""The answers of a queued prediction as one table, with the dataset's columns beside them if wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import parquet

from backprop_client.wire.columns import Column
from domain.datasets.files import row_batches
from domain.datasets.writing import as_known, known_type
from domain.models.answer_tables import names_beside
from domain.predictions.parts import key_of
from infra.artifacts import ArtifactStore
from infra.errors import Conflict
from infra.tables import Dataset, QueuedPrediction

PIECE_BYTES = 8 * 2**20
"""Bytes. The values of a batch take so many, 8 each."""


def stored_schema(store: ArtifactStore, prediction: QueuedPrediction) -> pa.Schema:
    """The columns of the answers of a prediction that has succeeded, as they are stored: its model may be gone.

    Raises:
        Conflict: the prediction has been deleted meanwhile.
    """
    try:
        with store.reading(key_of(prediction.id, 0)) as part:
            schema: pa.Schema = parquet.read_schema(part)
            return schema.remove_metadata()
    except FileNotFoundError as error:
        raise _deleted() from error


@dataclass(frozen=True)
class Inputs:
    """The columns of a dataset that stand beside answers.

    Attributes:
        artifact: the key of its file.
        columns: all of them.
    """

    artifact: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [column.name for column in self.columns]

    @classmethod
    def of(cls, dataset: Dataset) -> Inputs:
        """Those of that dataset."""
        return cls(dataset.artifact, tuple(map(Column.model_validate, dataset.columns)))


@dataclass(frozen=True)
class AnswerTable:
    """What clients fetch of a prediction that has succeeded.

    Attributes:
        store: where its parts are, and the dataset.
        prediction: its row.
        answers: the columns of the answers.
        inputs: what stands beside them.
    """

    store: ArtifactStore
    prediction: QueuedPrediction
    answers: pa.Schema
    inputs: Inputs | None

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        if self.inputs is None:
            return self.answers
        beside = list(zip(self.inputs.names, map(known_type, self.inputs.columns), strict=True))
        names = names_beside(self.answers.names, set(self.inputs.names))
        return pa.schema([*beside, *((names[field.name], field.type) for field in self.answers)])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, in order, in batches of bounded size.

        Raises:
            Conflict: the dataset, or the prediction itself, has been deleted meanwhile.
        """
        width = len(self.answers) + (0 if self.inputs is None else len(self.inputs.columns))
        batch_rows = max(1, PIECE_BYTES // (8 * width))
        try:
            for number, first_row in enumerate(range(0, self.prediction.rows, self.prediction.part_rows)):
                yield from self._part(number, first_row, batch_rows)
        except FileNotFoundError as error:
            raise _deleted() from error

    def _part(self, number: int, first_row: int, batch_rows: int) -> Iterator[pa.RecordBatch]:
        with self.store.reading(key_of(self.prediction.id, number)) as part:
            answers = map(_plain, row_batches(part, self.answers.names, batch_rows))
            if self.inputs is None:
                yield from (pa.RecordBatch.from_arrays(columns, schema=self.answers) for columns in answers)
                return
            with self.store.reading(self.inputs.artifact) as file:
                inputs = row_batches(file, self.inputs.names, batch_rows, first_row)
                for columns, beside in zip(answers, inputs, strict=False):  # the dataset goes on behind the part
                    known = as_known(self.inputs.columns, beside.slice(0, len(columns[0])))
                    yield pa.RecordBatch.from_arrays([*known, *columns], schema=self.schema)


def _deleted() -> Conflict:
    return Conflict("dataset_deleted", "The dataset has been deleted, or the prediction itself.")


def _plain(batch: pa.RecordBatch) -> list[pa.Array]:
    return [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in batch.columns]
