"""Predictions from a trained model: rows as people send them in, answers in their own labels and units out.

A row is an object from column name to value, or an array of values in the order of the model's input columns.
An object must have every input column, may have the model's target columns (people send rows of their own file;
the values are ignored), and may have nothing else. Nothing is guessed: null, NaN, a number as a string, a boolean
for a number or a category that the training data did not have are refused, with row and column named. Messages
count rows from 0, as paths do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.coding.inputs import CodedColumn
from backprop.coding.targets import ClassScores
from backprop.model import PredictedRows, TrainedModel
from infra.errors import FieldError, InvalidRequest, TooLarge

Array = NDArray[Any]
Row = Mapping[str, Any] | Sequence[Any]

REPORTED_PROBLEMS = 20
"""Problems. No more of a request are listed, since what is wrong with one row is mostly wrong with all."""

LARGEST_ANSWER = 5_000_000
"""Values (scores, or reconstructed columns). Each takes some hundred bytes on its way to JSON."""


@dataclass(frozen=True)
class Predictor:
    """A trained model, ready to answer; it never changes."""

    model: TrainedModel

    @property
    def columns(self) -> tuple[str, ...]:
        """The input columns, in the order an array must have."""
        return tuple(column.name for column in self._coded_columns)

    def predict(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Answer each row.

        Returns:
            One object a row, in order, of plain JSON values:

            - classification: ``{"prediction": label, "scores": [{"class": label, "score": s}, …]}``, the classes in
              the model's order, s in [0, 1] (a score, not a probability);
            - regression: ``{"prediction": {target: value, …}}``;
            - reconstruction: ``{"prediction": {column: value, …}}``.

        Raises:
            InvalidRequest: ``invalid_rows``: rows that cannot be read, each problem with its place, up to
                `REPORTED_PROBLEMS`; ``prediction_not_finite``: numbers so far from the training data that the
                network overflows.
            TooLarge: ``answer_too_large``.
        """
        self._check_answer_size(len(rows))
        answers: list[dict[str, Any]] = []
        for predicted in self.model.predict(self._columns_of(rows)):
            _check_finite(predicted)
            answers += _answers(predicted)
        return answers

    @cached_property
    def _coded_columns(self) -> tuple[CodedColumn, ...]:
        return self.model.coding.inputs.coded_columns

    @cached_property
    def _ignored(self) -> frozenset[str]:
        return frozenset(self.model.coding.targets.columns)

    def _check_answer_size(self, rows: int) -> None:
        each = self.model.coding.targets.values_per_row
        if rows * each > LARGEST_ANSWER:
            raise TooLarge(
                "answer_too_large",
                f"{rows:,} rows with {each:,} values each make too large an answer: send at most "
                f"{LARGEST_ANSWER // each:,} rows at once.",
            )

    def _columns_of(self, rows: Sequence[Row]) -> dict[str, Array]:
        """The rows as typed columns: all at once when they are right, else one by one to tell what is wrong."""
        try:
            columns = list(self._values_by_column(rows))
            return {
                column.name: _typed(values, column) for column, values in zip(self._coded_columns, columns, strict=True)
            }
        except (_NotPlain, KeyError):
            raise self._refusal(rows) from None

    def _values_by_column(self, rows: Sequence[Row]) -> Iterator[list[Any] | tuple[Any, ...]]:
        kinds = set(map(type, rows))
        if kinds == {dict}:
            allowed = self._ignored.union(self.columns)
            if any(not row.keys() <= allowed for row in rows if isinstance(row, dict)):
                raise _NotPlain
            for name in self.columns:
                yield [row[name] for row in rows]  # type: ignore[call-overload]
        elif kinds == {list} and set(map(len, rows)) == {len(self._coded_columns)}:
            yield from zip(*rows, strict=True)
        elif kinds:
            # Objects and arrays mixed: give every row the form of an array.
            arrays = [self._as_array(row) for row in rows]
            yield from zip(*arrays, strict=True)
        else:
            yield from ([] for _ in self._coded_columns)

    def _as_array(self, row: Row) -> Sequence[Any]:
        if isinstance(row, dict):
            if not row.keys() <= self._ignored.union(self.columns):
                raise _NotPlain
            return [row[name] for name in self.columns]
        if not isinstance(row, list) or len(row) != len(self._coded_columns):
            raise _NotPlain
        return row

    def _refusal(self, rows: Sequence[Row]) -> InvalidRequest:
        """The error that names the first problems, in the order of rows and columns."""
        problems: list[FieldError] = []
        for problem in self._problems(rows):
            problems.append(problem)
            if len(problems) == REPORTED_PROBLEMS:
                break
        return InvalidRequest("invalid_rows", problems[0].message, tuple(problems))

    def _problems(self, rows: Sequence[Row]) -> Iterator[FieldError]:
        for index, row in enumerate(rows):
            place = f"/rows/{index}"
            if isinstance(row, dict):
                yield from self._object_problems(place, index, row)
            elif isinstance(row, list):
                yield from self._array_problems(place, index, row)
            else:
                yield FieldError(place, f"Row {index} is neither an object nor an array.")

    def _object_problems(self, place: str, index: int, row: Mapping[str, Any]) -> Iterator[FieldError]:
        for column in self._coded_columns:
            path = f"{place}/{_pointer_token(column.name)}"
            if column.name not in row:
                yield FieldError(path, f"Row {index} has no value for column {column.name!r}.")
            elif (reason := _objection(row[column.name], column)) is not None:
                yield FieldError(path, f"Row {index}, column {column.name!r}: {reason}.")
        known = self._ignored.union(self.columns)
        for name in row:
            if name not in known:
                yield FieldError(
                    f"{place}/{_pointer_token(name)}",
                    f"Row {index} has {_shown(name)}, which is no column of this model.",
                )

    def _array_problems(self, place: str, index: int, row: Sequence[Any]) -> Iterator[FieldError]:
        if len(row) != len(self._coded_columns):
            yield FieldError(
                place,
                f"Row {index} has {len(row)} values, and this model has {len(self._coded_columns)} input columns.",
            )
            return
        for position, (value, column) in enumerate(zip(row, self._coded_columns, strict=True)):
            reason = _objection(value, column)
            if reason is not None:
                yield FieldError(f"{place}/{position}", f"Row {index}, column {column.name!r}: {reason}.")


class _NotPlain(Exception):
    """Something about the rows is not as it must be; what it is, a closer look will tell."""


def _typed(values: Sequence[Any], column: CodedColumn) -> Array:
    """One column's values as an array. Raises `_NotPlain` if any value is objectionable."""
    kinds = set(map(type, values))
    if column.categories is not None:
        if not kinds <= {bool, str} or not set(values).issubset(column.categories):
            raise _NotPlain
        return np.array(values, dtype=object)
    if not kinds <= {int, float}:
        raise _NotPlain
    try:
        numbers = np.array(values, dtype=np.float64)
    except OverflowError:
        raise _NotPlain from None
    if not np.isfinite(numbers).all():
        raise _NotPlain
    return numbers


def _objection(value: object, column: CodedColumn) -> str | None:
    """Why this value cannot be used in this column; None if it can."""
    if value is None:
        return "the value is missing (null)"
    if column.categories is None:
        return _objection_to_number(value)
    if isinstance(value, bool | str) and value in column.categories:
        return None
    known = ", ".join(map(_shown, column.categories[:10])) + (", …" if len(column.categories) > 10 else "")
    return f"{_shown(value)} is not one of the values seen in training: {known}"


def _objection_to_number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{_shown(value)} is not a number"
    try:
        finite = math.isfinite(value)
    except OverflowError:
        return "the number is too large for double precision"
    return None if finite else f"{value} is not a finite number"


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


def _shown(value: object) -> str:
    """A value as a message shows it: short, and without what could not be encoded."""
    text = repr(value) if isinstance(value, str | bool | int | float) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}…"


def _pointer_token(name: str) -> str:
    """A key within a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1").encode(errors="backslashreplace").decode()
