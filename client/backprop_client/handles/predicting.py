"""Predictions for a table of any form: which requests that takes, and what their answers are made into.

The requests are made here, and sent elsewhere: by a client that waits, or by one that is awaited. Many rows go in
parts. A row is predicted alike in any company, so nobody can tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backprop_client.tables.answers import Answers, Label, joined, text_of
from backprop_client.tables.files import arrow_bytes, plain_rows
from backprop_client.tables.libraries import installed
from backprop_client.tables.table import Table
from backprop_client.wire.models import ModelOut, UnknownCategories

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"

_PREDICTION = "prediction"
"""The column of an answer with the labels of a classification."""

MOST_JSON_CELLS = 100_000
"""Cells. No more go as JSON, which the service reads at once: a row takes 3 ms so, and as a file 250 ms."""

_MOST_ROWS = 100_000
"""Rows of a request. Services take so many, unless they are told otherwise; then the parts are halved."""

_MOST_ARROW_CELLS = 1_500_000
_MOST_PART_CELLS = 400_000
"""Cells of a request: as a stream of Arrow's, and as JSON where there is no pyarrow. They mostly make less than the 16
MiB that services take."""


@dataclass(frozen=True)
class ModelFacts:
    """What predictions depend on.

    Attributes:
        inputs: the columns that rows must have.
        targets: the columns of an answer; none for a reconstruction, which has the inputs.
        classes: of a classification, in the order of the scores.
        labels: of columns of an answer that are no numbers, from text to label.
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[Label, ...] | None
    labels: Mapping[str, Mapping[str, Label]]

    def check_scores(self) -> None:
        """Refuse a model that has no scores.

        Raises:
            ValueError: its task is no classification.
        """
        if self.classes is None:
            raise ValueError("Scores are of classes, and the model's task is no classification.")

    @property
    def answers(self) -> tuple[str, ...]:
        """What the columns of an answer are called, but for the scores."""
        return (_PREDICTION,) if self.classes is not None else self.targets or self.inputs

    @classmethod
    def of(cls, model: ModelOut) -> ModelFacts:
        """Those that the model tells of itself."""
        features = model.preprocessing["inputs"]["features"]
        inputs = tuple(feature["name"] for feature in features)
        targets = model.preprocessing["targets"]
        if model.task == "classification":
            classes = tuple(targets["classes"])
            return cls(inputs, (targets["target"],), classes, {_PREDICTION: _by_text(classes)})
        categories = {each["name"]: _by_text(each["categories"]) for each in features if each["categories"] is not None}
        return cls(inputs, tuple(targets.get("targets", ())), None, {} if model.task == "regression" else categories)


def _by_text(labels: Iterable[Label]) -> dict[str, Label]:
    return {text_of(label): label for label in labels}


@dataclass(frozen=True)
class RowsBody:
    """The body of a request for predictions."""

    content: bytes
    media_type: str


class Asking:
    """Predictions for a table, request by request.

    While `body` gives one, it is sent; `take` takes its answer, and `halve` is told if it was too large.
    """

    def __init__(self, table: Table, facts: ModelFacts, unknown_categories: UnknownCategories) -> None:
        """Begin.

        Raises:
            ValueError: the table lacks a column that the model needs.
        """
        self._table = table.select(facts.inputs)
        self._facts = facts
        self._unknown_categories = unknown_categories
        self._speaks_arrow = self._table.rows * len(facts.inputs) > MOST_JSON_CELLS and installed("pyarrow") is not None
        most_cells = _MOST_ARROW_CELLS if self._speaks_arrow else _MOST_PART_CELLS
        most = max(1, min(_MOST_ROWS, most_cells // len(facts.inputs)))
        begins = range(0, self._table.rows, most)
        self._to_do = [(begin, min(begin + most, self._table.rows)) for begin in reversed(begins)]
        self._answers: list[Mapping[str, Answers]] = []

    def body(self) -> RowsBody | None:
        """The body of the next request; None if all rows have their answer."""
        if not self._to_do:
            return None
        part = self._table.part(*self._to_do[-1])
        if self._speaks_arrow:
            return RowsBody(arrow_bytes(part), ARROW)
        rows = {"rows": plain_rows(part), "unknown_categories": self._unknown_categories}
        return RowsBody(json.dumps(rows).encode(), JSON)

    @property
    def unknown_categories(self) -> UnknownCategories | None:
        """The parameter of that name that the request needs; rows in JSON have it in their body."""
        return self._unknown_categories if self._speaks_arrow else None

    def take(self, answer: bytes) -> None:
        """The answer to the last body, in the form of the body."""
        self._to_do.pop()
        self._answers.append(self._from_arrow(answer) if self._speaks_arrow else self._from_json(answer))

    def halve(self) -> bool:
        """Ask for half of the rows of the last body; False if it had one row only."""
        begin, end = self._to_do[-1]
        if end - begin < 2:
            return False
        middle = (begin + end) // 2
        self._to_do[-1:] = [(middle, end), (begin, middle)]
        return True

    def predictions(self) -> Any:  # noqa: ANN401
        """What the model predicts, in the form of the table."""
        answers = self._facts.answers
        if len(answers) > 1:
            return self._table.form.several({name: self._joined(name) for name in answers})
        name = (self._facts.targets or self._facts.inputs)[0]
        return self._table.form.one(name, self._joined(answers[0]))

    def scores(self) -> Any:  # noqa: ANN401
        """How strongly the model votes for each class, in the form of the table."""
        columns = {label: self._joined(f"score {place}") for place, label in enumerate(self._facts.classes or ())}
        return self._table.form.several(columns)

    def _joined(self, name: str) -> Answers:
        if not self._answers:
            return []
        return joined([answers[name] for answers in self._answers])

    def _from_arrow(self, answer: bytes) -> Mapping[str, Answers]:
        pa = installed("pyarrow")
        table = pa.ipc.open_stream(answer).read_all()
        if self._facts.classes is None:
            return dict(zip(table.column_names, table.columns, strict=True))
        scores = {f"score {place}": column for place, column in enumerate(table.columns[1:])}
        return {_PREDICTION: table.column(0), **scores}

    def _from_json(self, answer: bytes) -> Mapping[str, Answers]:
        told = json.loads(answer)
        predictions = told["predictions"]
        if self._facts.classes is not None:
            columns = zip(*told["scores"], strict=True)
            return {_PREDICTION: predictions, **{f"score {place}": list(each) for place, each in enumerate(columns)}}
        names = self._facts.answers
        if len(names) == 1 and not isinstance(predictions[0], dict):
            return {names[0]: predictions}
        return {name: [row[name] for row in predictions] for name in names}
