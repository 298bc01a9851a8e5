"""The form made of a model's inputs: what it asks for, what its fields say, and what the model answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import FormData

from app.pages.models.metrics import label_text
from app.pages.wording import number
from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn
from backprop_client.wire.columns import Column
from domain.datasets.moments import form_of, iso
from domain.models.prediction import Predictor
from domain.models.row_reading import Row
from infra.errors import InvalidRequest

MOST_FIELDS = 256
"""Fields. Nobody fills in more by hand; a file is for that."""

MOST_ANSWERS = 100
"""Values of one answer that are shown."""

Kind = Literal["number", "choice", "moment"]


@dataclass(frozen=True)
class InputField:
    """A field of the form.

    Attributes:
        key: its name in the form.
        column: the input column that it is for.
        kind: what goes into it.
        value: what stands in it at first, or what was sent.
        choices: the categories; nothing for the other kinds.
        hint: what values the column has.
        may_miss: whether it may be left empty.
        problem: why what was sent cannot be read; None if it can, or nothing was sent.
    """

    key: str
    column: str
    kind: Kind
    value: str
    choices: Sequence[str]
    hint: str
    may_miss: bool
    problem: str | None = None


@dataclass(frozen=True)
class Vote:
    """How strongly the network votes for a class.

    Attributes:
        label: the class.
        score: in [0, 1].
    """

    label: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What a model says of one row.

    Attributes:
        values: of each target, or of each input of a reconstruction, what is predicted.
        votes: for each class, the strongest first; nothing where the target holds none.
        left_out: how many values or votes are not shown.
    """

    values: Sequence[tuple[str, str]]
    votes: Sequence[Vote]
    left_out: int


def input_fields(coding: Coding, columns: Mapping[str, Column], whole: frozenset[str]) -> list[InputField]:
    """The form's fields in the order of the model's inputs; none where there would be more than `MOST_FIELDS`.

    Args:
        coding: the model's.
        columns: those of its dataset, by name; nothing if that is deleted.
        whole: the columns of whole numbers.
    """
    inputs = coding.inputs
    if len(inputs.coded_columns) > MOST_FIELDS:
        return []
    means = dict(zip(inputs.scaled_names, inputs.means, strict=True))
    return [
        InputField(
            key=f"input-{position}",
            column=column.name,
            kind=_kind(column),
            value=_first_value(column, means.get(column.name, 0.0), columns.get(column.name), column.name in whole),
            choices=[label_text(category) for category in column.categories or ()],
            hint=_hint(column, columns.get(column.name), means.get(column.name, 0.0)),
            may_miss=inputs.missing == "impute",
        )
        for position, column in enumerate(inputs.coded_columns)
    ]


def _kind(column: CodedColumn) -> Kind:
    if column.categories is not None:
        return "choice"
    return "number" if column.moments is None else "moment"


def _first_value(column: CodedColumn, mean: float, known: Column | None, is_whole: bool) -> str:
    if column.categories is not None:
        return label_text(column.categories[0])
    if column.moments is not None:
        return "" if known is None else iso(round(mean * 1e6), form_of(known))
    return f"{round(mean)}" if is_whole else f"{mean:.5g}"


def _hint(column: CodedColumn, known: Column | None, mean: float) -> str:
    """What the column's values are, in some words."""
    if column.categories is not None:
        return f"one of {len(column.categories)}" if len(column.categories) > 2 else ""
    if known is not None and known.earliest is not None:
        return f"{known.earliest} to {known.latest}"
    if known is not None and known.minimum is not None:
        return f"{number(known.minimum)} to {number(known.maximum)}"
    return f"mean {number(mean)}" if column.moments is None else "in ISO 8601"


def row_of(form: FormData, coding: Coding) -> Row:
    """The row that a form's fields say: a value for each input column, None where one is empty."""
    return [_value(form.get(f"input-{place}"), column) for place, column in enumerate(coding.inputs.coded_columns)]


def _value(sent: object, column: CodedColumn) -> str | float | bool | None:
    """What a field says, as JSON would. What is no number stays text, which the model's reader judges."""
    if not isinstance(sent, str) or not sent.strip():
        return None
    if column.categories is not None:
        return {"true": True, "false": False}.get(sent, sent) if isinstance(column.categories[0], bool) else sent
    if column.moments is not None:
        return sent.strip()
    try:
        value = float(sent)
    except ValueError:
        return sent.strip()
    return value if math.isfinite(value) else sent.strip()


def filled_in(fields: Sequence[InputField], form: FormData, refusal: InvalidRequest | None) -> list[InputField]:
    """The fields with what was sent, and what is wrong with it."""
    problems = {} if refusal is None else {each.path: each.message for each in refusal.fields}
    return [
        InputField(
            key=field.key,
            column=field.column,
            kind=field.kind,
            value=str(form.get(field.key) or ""),
            choices=field.choices,
            hint=field.hint,
            may_miss=field.may_miss,
            problem=problems.get(f"/rows/0/{position}"),
        )
        for position, field in enumerate(fields)
    ]


def answer_for(predictor: Predictor, row: Row) -> Answer:
    """What the model says of a row.

    Raises:
        InvalidRequest: the row cannot be read (``invalid_rows``), or the network overflows (``prediction_not_finite``).
    """
    (block,) = predictor.predict([row]).blocks
    values = [(name, _shown(column.tolist()[0])) for name, column in block.columns.items()]
    votes: list[Vote] = []
    if block.scores is not None:
        pairs = zip(block.scores.classes, block.scores.scores[0].tolist(), strict=True)
        votes = sorted((Vote(label_text(label), score) for label, score in pairs), key=lambda vote: -vote.score)
    left_out = max(0, len(values) - MOST_ANSWERS) + max(0, len(votes) - MOST_ANSWERS)
    return Answer(values[:MOST_ANSWERS], votes[:MOST_ANSWERS], left_out)


def _shown(value: object) -> str:
    if value is None:
        return "missing"
    return number(value) if isinstance(value, float) else label_text(value)
