"""Predictions from a trained model: rows as people send them in, answers in their own labels and units out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backprop.model import PredictedRows, TrainedModel
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from domain.models.answer_tables import answer_batch, answer_schema
from domain.models.json_rows import RequestedRows
from domain.models.row_reading import ReadRows, Row, RowReader
from domain.models.table_reading import TableReader
from infra.errors import FieldError, InvalidRequest, TooLarge

Array = NDArray[Any]

LARGEST_ANSWER = 5_000_000
"""Values (scores, or reconstructed columns). Each takes some hundred bytes on its way to JSON or a file."""


class RowPlace(NamedTuple):
    """Where a row came from, as a problem tells it.

    Attributes:
        told: what a message calls it: ``Row 7``.
        path: of it in the request, a JSON pointer.
    """

    told: str
    path: str


def _place_in_json(row: int) -> RowPlace:
    return RowPlace(f"Row {row}", f"/rows/{row}")


class Predictions(NamedTuple):
    """What a model says about rows.

    Attributes:
        blocks: its answers, block by block and in order.
        unknown: the values that no training row had, and that count as missing.
    """

    blocks: list[PredictedRows]
    unknown: list[UnknownCategory]


@dataclass(frozen=True)
class Predictor:
    """A trained model, ready to answer; it never changes."""

    model: TrainedModel
    reader: RowReader

    @property
    def answer_schema(self) -> pa.Schema:
        """The columns of its answers, where they are to be a table."""
        return answer_schema(self.model.coding.targets)

    def predict(self, rows: Sequence[Row], unknown_categories: UnknownCategories = "refuse") -> Predictions:
        """Answer each row.

        Raises:
            InvalidRequest: ``invalid_rows``: rows that cannot be read; ``prediction_not_finite``: numbers so far from
                the training data that the network overflows.
            TooLarge: ``answer_too_large``.
        """
        self.check_answer_size(len(rows))
        return self.predict_read(self.reader.read(rows, unknown_categories))

    def predict_requested(self, requested: RequestedRows) -> Predictions:
        """The same of rows that come as JSON."""
        self.check_answer_size(requested.count)
        read = None if requested.numbers is None else self.reader.read_numbers(requested.numbers)
        return self.predict_read(read or self.reader.read(requested.as_sent(), requested.unknown_categories))

    def predict_batch(self, reader: TableReader, batch: pa.RecordBatch, first_row: int = 0) -> Predictions:
        """Answer the rows of a table's batch.

        Args:
            reader: reads the table for this model.
            batch: as the reader takes it.
            first_row: the place of its first row in the table, from 0.

        Raises:
            InvalidRequest: as `predict` does; messages count rows from 1.
        """
        return self.predict_read(
            reader.read(batch, first_row), lambda row: RowPlace(f"Row {first_row + row + 1:,}", "/file")
        )

    def predict_read(self, read: ReadRows, place_of: Callable[[int], RowPlace] = _place_in_json) -> Predictions:
        """Answer rows whose columns have been read.

        Args:
            read: all input columns of the model, as its reader or a `TableReader` gives them.
            place_of: says where a row came from, by its place among the rows that have been read, from 0. By default
                it was in the array `rows` of a body.

        Raises:
            InvalidRequest: ``prediction_not_finite``, of the first row for which the network overflows.
        """
        blocks = list(self.model.predict(read.columns))
        row = _first_infinite(blocks)
        if row is not None:
            raise _not_finite(place_of(row))
        return Predictions(blocks, read.unknown)

    def answer_table(self, predictions: Predictions) -> Iterator[pa.RecordBatch]:
        """The answers as batches of `answer_schema`."""
        schema = self.answer_schema
        return (answer_batch(predicted, schema) for predicted in predictions.blocks)

    def check_answer_size(self, rows: int) -> None:
        """Refuse so many rows at once if the answer would be too large. Raises TooLarge: ``answer_too_large``."""
        each = self.model.coding.targets.values_per_row
        if rows * each > LARGEST_ANSWER:
            raise TooLarge(
                "answer_too_large",
                f"{rows:,} rows with {each:,} values each make too large an answer: send at most "
                f"{LARGEST_ANSWER // each:,} rows at once, or ask for the predictions of a dataset "
                "(POST /v1/predictions).",
            )


def check_rows(rows: int, most: int) -> None:
    """Refuse more rows than a request may have. Raises TooLarge: ``too_many_rows``."""
    if rows > most:
        raise TooLarge(
            "too_many_rows",
            f"{rows:,} rows are more than the {most:,} that one request may have (setting "
            "BACKPROP_MAX_PREDICTION_ROWS). POST /v1/predictions predicts for the rows of a whole dataset.",
        )


def _first_infinite(blocks: Iterable[PredictedRows]) -> int | None:
    """The first row for which the network has no finite answer; None if there is none. JSON has no word for it."""
    for predicted in blocks:
        for values in (predicted.outputs, *predicted.columns.values()):
            if values.dtype.kind != "f" or np.isfinite(values).all():
                continue
            finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
            return predicted.first_row + int(np.argmin(finite))
    return None


def _not_finite(place: RowPlace) -> InvalidRequest:
    message = f"{place.told}: its numbers are so far from the training data that the network overflows."
    return InvalidRequest("prediction_not_finite", message, (FieldError(place.path, message),))
