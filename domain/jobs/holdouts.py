"""Which rows a job holds out: by chance, by a column's value, or those of another dataset."""

from __future__ import annotations

from typing import NamedTuple

from backprop.coding.holdout import held_out_rows
from backprop_client.wire.columns import Column
from backprop_client.wire.resolved_jobs import HeldOutTable, InputColumn, TargetColumn
from backprop_client.wire.specs import HeldOutDataset, HeldOutRows, HoldoutBy, JobSpec, Missing, Task
from domain.datasets.names import composed
from domain.datasets.reading.delimited.cells import datetime_in
from domain.jobs.columns import QUANTITIES, Chosen, check_values, required_columns
from domain.jobs.problems import Problems
from domain.jobs.starting_model import known_columns
from domain.jobs.weighting import check_weights

COLUMN_PATH = "/holdout_by/column"
VALUE_PATH = "/holdout_by/value"
DATASET_PATH = "/holdout_by/dataset_id"

IS_NO_INPUT = "It says which rows are held out."
"""Why a column is left out."""


class Table(NamedTuple):
    """What is known of a dataset: its columns, in the order of the file, and how many rows it has."""

    columns: tuple[Column, ...]
    rows: int


def way_to_hold_out(spec: JobSpec, task: Task | None, problems: Problems) -> HoldoutBy | None:
    """The one asked for or the task's default; None if nothing is held out."""
    if spec.holdout_by == "stratified" and task not in ("classification", None):
        problems.add(
            "stratified_needs_classes",
            "/holdout_by",
            f"Rows are held out by class for a classification only, and the task is {task}: use random.",
        )
    if spec.holdout_by is not None:
        return spec.holdout_by
    if spec.holdout == 0:
        return None
    return "stratified" if task == "classification" else "random"


def column_to_hold_out_by(
    spec: JobSpec, columns: tuple[Column, ...], targets: list[Chosen], rows: int, problems: Problems
) -> Column | None:
    """The column whose value says which rows are held out, if the job asks for that; all that is wrong is a problem."""
    if not isinstance(spec.holdout_by, HeldOutRows):
        return None
    name, value = composed(spec.holdout_by.column), spec.holdout_by.value
    column = next((column for column in columns if composed(column.name) == name), None)
    if column is None:
        problems.add("unknown_column", COLUMN_PATH, f"The dataset has no column {name!r}.")
    elif column.name in {target.column.name for target in targets}:
        problems.add(
            "column_is_target",
            COLUMN_PATH,
            f"Column {name!r} is a target: a network must learn from all of its values. Hold out by another column.",
        )
    else:
        _check_value(column, value, rows, problems)
    return column


def _check_value(column: Column, value: bool | float | str, rows: int, problems: Problems) -> None:
    """Some rows must have the value, and some must not, as far as that is known."""
    comparable = comparable_value(column.type, value)
    if comparable is None:
        problems.add(
            "value_not_in_column",
            VALUE_PATH,
            f"Column {column.name!r} is of type {column.type}, and {value!r} is no such value.",
        )
    elif not _may_occur(column, comparable):
        problems.add("value_not_in_column", VALUE_PATH, f"No row has {column.name!r} = {value!r}.")
    elif rows and not column.missing and _is_the_only_value(column, comparable):
        problems.add(
            "too_few_rows",
            VALUE_PATH,
            f"Every row has {column.name!r} = {value!r}: no row would be left to train on.",
        )


def comparable_value(kind: str, value: bool | float | str) -> bool | float | str | None:
    """What the values of a column are compared with: a moment is in seconds since 1970; None if it has another type."""
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind in QUANTITIES:
        return None if isinstance(value, bool | str) or (kind == "integer" and value != int(value)) else value
    if not isinstance(value, str):
        return None
    return moment(value) if kind == "datetime" else value


def moment(text: str) -> float | None:
    """A moment or time of day in ISO 8601, in seconds since 1970 UTC or since midnight; None if it is none."""
    seconds = datetime_in(text, times_of_day=False)
    return datetime_in(text, times_of_day=True) if seconds is None else seconds


def _may_occur(column: Column, value: bool | float | str) -> bool:
    """Whether a row may have it. Of texts, and of numbers between others, that is not known."""
    if column.categories is not None:
        return value in column.categories
    low, high = _bounds(column)
    return column.type == "text" or (low is not None and high is not None and low <= value <= high)  # type: ignore[operator]


def _is_the_only_value(column: Column, value: bool | float | str) -> bool:
    if column.categories is not None:
        return column.categories == (value,)
    return column.type != "text" and _bounds(column) == (value, value)


def _bounds(column: Column) -> tuple[float | None, float | None]:
    """The least and the greatest value; None where there is no value, or no order."""
    if column.type == "datetime":
        return moment(column.earliest or ""), moment(column.latest or "")
    return column.minimum, column.maximum


def check_enough_rows(
    spec: JobSpec, by: HoldoutBy | None, used: int, targets: list[Chosen], rows: int, problems: Problems
) -> None:
    """Refuse what certainly leaves no row on one of both sides.

    Args:
        spec: the request.
        by: the way to hold rows out.
        used: rows that may be used, at most: gaps in several columns may leave out more.
        targets: the columns to predict.
        rows: of the dataset.
        problems: where a problem is added.
    """
    if by is None or isinstance(by, HeldOutDataset):
        return
    try:
        held_out_rows(used, spec.holdout if isinstance(by, str) else 0.5)
    except ValueError as error:
        problems.add("too_few_rows", "/holdout", f"The dataset has too few rows: {error}.")
        return
    if by == "stratified" and spec.from_model_id is None:  # its classes are the model's; the worker counts
        labels = targets[0].column.categories if targets else None
        if labels is not None and rows - targets[0].column.missing == len(labels):
            problems.add(
                "too_few_rows",
                "/holdout",
                "Every class has one row only, which is needed for training: no row can be held out by class. Use "
                'holdout_by "random", or no holdout.',
            )


def least_held_out(by: HoldoutBy | None, fraction: float, rows: int) -> int:
    """How many of a dataset's rows are held out at least."""
    if by is None or isinstance(by, HeldOutDataset):
        return 0
    return held_out_rows(rows, fraction) if by == "random" else 1


def usually_held_out(by: HoldoutBy | None, fraction: float, rows: int) -> int:
    """How many of a dataset's rows are held out if every class has its share; 1 where only the rows can tell."""
    if by == "stratified":
        return held_out_rows(rows, fraction) if rows > 1 else 0
    return least_held_out(by, fraction, rows) if rows > 1 else 0


def other_table(
    by: HeldOutDataset,
    table: Table,
    inputs: tuple[InputColumn, ...],
    targets: tuple[TargetColumn, ...],
    weights: Column | None,
    missing: Missing,
    problems: Problems,
) -> HeldOutTable:
    """The dataset whose rows are held out, its columns being of the job's types and having its labels.

    Args:
        by: which dataset.
        table: what is known of it.
        inputs: of the job.
        targets: likewise.
        weights: the column with the weights of the job's rows, if there is one.
        missing: what is done about gaps.
        problems: where what is wrong is added: ``unknown_column``, ``column_type_differs``, ``unknown_category``,
            ``missing_values``, ``values_too_large``, ``unusable_weights`` or ``too_few_rows``.
    """
    known = known_columns(table.columns, inputs, targets, problems, whose="the job", path=DATASET_PATH)
    columns = {column.name: column for column in table.columns}
    used = [column.name for column in inputs] + [column.name for column in targets]
    for name in used if weights is None or weights.name in used else [*used, weights.name]:
        if name not in columns:
            problems.add("unknown_column", DATASET_PATH, f"Dataset {by.dataset_id} has no column {name!r}, as the job.")
    if weights is not None and weights.name in columns:
        check_weights(columns[weights.name], DATASET_PATH, problems)
    ours = [Chosen(DATASET_PATH, known[column.name]) for column in inputs if column.name in known]
    theirs = [Chosen(DATASET_PATH, known[column.name]) for column in targets if column.name in known]
    for chosen in (*ours, *theirs):
        check_values(chosen, missing, problems)
    needed = required_columns(ours, theirs, missing)
    if table.rows - max((column.missing for column in needed), default=0) < 1:
        problems.add("too_few_rows", DATASET_PATH, f"No row of dataset {by.dataset_id} has all the values it needs.")
    reread = tuple(
        column.name for column in table.columns if column.name in known and known[column.name].type != column.type
    )
    return HeldOutTable(
        dataset_id=by.dataset_id,
        rows=table.rows,
        required=tuple(column.name for column in needed),
        reread=reread,
    )
