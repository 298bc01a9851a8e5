"""The columns of a dataset as a person sees them who chooses among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.pages.new_job.typed import COLUMNS_SHOWN, Typed
from app.pages.pictures.spread import spread
from app.pages.wording import count, number
from backprop_client.wire.columns import CATEGORY_LIMIT, Column
from backprop_client.wire.datasets import DatasetOut
from domain.jobs.columns import reasons_to_leave_out

LABELS_SHOWN = 4
LONGEST_LABEL = 30
"""Labels and characters. They tell what kind of thing a column holds."""


@dataclass(frozen=True)
class ColumnRow:
    """A column in the table.

    Attributes:
        name: its.
        type: of its values.
        missing: rows without a value.
        values: what it holds, in short.
        spread: a picture of that, of numbers.
        remarks: what a person should look at.
        is_target: whether it is ticked as a target.
        is_input: whether it is ticked as an input.
    """

    name: str
    type: str
    missing: int
    values: str
    spread: Markup
    remarks: Sequence[str]
    is_target: bool
    is_input: bool


def column_rows(dataset: DatasetOut, typed: Typed) -> list[ColumnRow]:
    """The first columns of a dataset; as inputs those are ticked that the service would take by itself."""
    shown = dataset.columns[:COLUMNS_SHOWN]
    reasons = reasons_to_leave_out(shown, dataset.rows, None, "impute", {})
    ticked = {name for name, reason in reasons.items() if reason is None} if typed.inputs is None else set(typed.inputs)
    remarks: dict[str, list[str]] = {}
    for remark in dataset.remarks:
        remarks.setdefault(remark.column or "", []).append(remark.message)
    rows = []
    for column in shown:
        reason = reasons[column.name]
        left_out = [] if reason is None else [f"{reason} It is no input unless you tick it."]
        rows.append(
            ColumnRow(
                name=column.name,
                type=column.type,
                missing=column.missing,
                values=_values(column),
                spread=spread(column.minimum, column.maximum, column.mean, column.standard_deviation),
                remarks=[*remarks.get(column.name, []), *left_out],
                is_target=column.name in typed.targets,
                is_input=column.name in ticked,
            )
        )
    return rows


def _values(column: Column) -> str:
    if column.earliest is not None:
        return f"{column.earliest} to {column.latest}"
    if column.type in ("integer", "number") and column.minimum is not None:
        different = "" if column.categories is None else f", {count(len(column.categories))} different"
        return f"{number(column.minimum)} to {number(column.maximum)}, mean {number(column.mean)}{different}"
    if column.categories is not None:
        labels = ", ".join(_short(str(label)) for label in column.categories[:LABELS_SHOWN])
        left = len(column.categories) - LABELS_SHOWN
        return labels if left <= 0 else f"{labels} and {count(left)} more"
    return f"more than {count(CATEGORY_LIMIT)} different texts" if column.type == "text" else "no values"


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
