"""Predictions from a trained model: rows as people send them in, answers in their own labels and units out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backprop.coding.targets import ClassScores
from backprop.model import PredictedRows, TrainedModel
from backprop_client.wire.models import UnknownCategories, UnknownCategory
from domain.models.row_reading import Row, RowReader
from infra.errors import FieldError, InvalidRequest, TooLarge

Array = NDArray[Any]

LARGEST_ANSWER = 5_000_000
"""Values (scores, or reconstructed columns). Each takes some hundred bytes on its way to JSON."""


class Predictions(NamedTuple):
    """What a model says about rows.

    Attributes:
        answers: one object a row, in order, of plain JSON values:

            - classification: ``{"prediction": label, "scores": [{"class": label, "score": s}, …]}``, the classes in
              the model's order, s in [0, 1] (a score, not a probability);
            - regression: ``{"prediction": {target: value, …}}``;
            - reconstruction: ``{"prediction": {column: value, …}}``.
        unknown: the values that no training row had, and that count as missing.
    """

    answers: list[dict[str, Any]]
    unknown: list[UnknownCategory]


@dataclass(frozen=True)
class Predictor:
    """A trained model, ready to answer; it never changes."""

    model: TrainedModel
    reader: RowReader

    def predict(self, rows: Sequence[Row], unknown_categories: UnknownCategories = "refuse") -> Predictions:
        """Answer each row.

        Raises:
            InvalidRequest: ``invalid_rows``: rows that cannot be read; ``prediction_not_finite``: numbers so far from
                the training data that the network overflows.
            TooLarge: ``answer_too_large``.
        """
        self._check_answer_size(len(rows))
        read = self.reader.read(rows, unknown_categories)
        answers: list[dict[str, Any]] = []
        for predicted in self.model.predict(read.columns):
            _check_finite(predicted)
            answers += _answers(predicted)
        return Predictions(answers, read.unknown)

    def _check_answer_size(self, rows: int) -> None:
        each = self.model.coding.targets.values_per_row
        if rows * each > LARGEST_ANSWER:
            raise TooLarge(
                "answer_too_large",
                f"{rows:,} rows with {each:,} values each make too large an answer: send at most "
                f"{LARGEST_ANSWER // each:,} rows at once.",
            )


def _check_finite(predicted: PredictedRows) -> None:
    """Refuse rows for which the network has no finite answer; JSON has no word for it."""
    for values in (predicted.outputs, *predicted.columns.values()):
        if values.dtype.kind != "f":
            continue
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            row = predicted.first_row + int(np.argmin(finite))
            message = f"Row {row}: its numbers are so far from the training data that the network overflows."
            raise InvalidRequest("prediction_not_finite", message, (FieldError(f"/rows/{row}", message),))


def _answers(predicted: PredictedRows) -> list[dict[str, Any]]:
    """What the model says, row by row."""
    if predicted.scores is not None:
        return _class_answers(predicted.columns, predicted.scores)
    names = list(predicted.columns)
    values = zip(*(column.tolist() for column in predicted.columns.values()), strict=True)
    return [{"prediction": dict(zip(names, row, strict=True))} for row in values]


def _class_answers(columns: Mapping[str, Array], votes: ClassScores) -> list[dict[str, Any]]:
    (labels,) = columns.values()
    return [
        {
            "prediction": label,
            "scores": [{"class": each, "score": score} for each, score in zip(votes.classes, row, strict=True)],
        }
        for label, row in zip(labels.tolist(), votes.scores.tolist(), strict=True)
    ]
