"""Which columns of a dataset a job uses, which it leaves out and why, and what is wrong with those it is to use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from backprop.column_statistics import differs_by_rounding_only
from backprop_client.wire.columns import CATEGORY_LIMIT, Column, RowNames
from backprop_client.wire.resolved_jobs import LeftOut
from backprop_client.wire.specs import JobSpec, Missing, Task
from domain.datasets.names import composed
from domain.jobs.problems import Problems

LARGEST_NUMBER = 1e150
"""Beyond it, squares leave the range of double precision, and deviations and costs with them."""

LEAST_ROWS_FOR_KEYS = 50
"""Rows. In a shorter table, categories that are mostly different need not be names or keys."""

QUANTITIES = ("integer", "number")

_ROW_NAMES: dict[RowNames, str] = {
    "nameless": "It is the first column and has no name: it names the rows.",
    "counts": "It counts the rows.",
    "pandas_index": "It is the index of the data frame that was written.",
}


class Chosen(NamedTuple):
    """A column that the job uses, and the place of the request that asks for it."""

    path: str
    column: Column


class Inputs(NamedTuple):
    """The input columns, and those left out because nobody asked for them."""

    chosen: list[Chosen]
    left_out: list[LeftOut]


def named(names: Sequence[str], path: str, columns: Iterable[Column], problems: Problems) -> list[Chosen]:
    """The columns of those names; unknown and repeated names are problems and left out."""
    by_name = {composed(column.name): column for column in columns}
    chosen: list[Chosen] = []
    seen: set[str] = set()
    for index, name in enumerate(map(composed, names)):
        place = f"{path}/{index}"
        if name not in by_name:
            problems.add("unknown_column", place, f"The dataset has no column {name!r}.")
        elif name in seen:
            problems.add("duplicate_column", place, f"Column {name!r} is named twice.")
        else:
            chosen.append(Chosen(place, by_name[name]))
        seen.add(name)
    return chosen


def inputs(
    spec: JobSpec,
    columns: tuple[Column, ...],
    targets: list[Chosen],
    rows: int,
    missing: Missing,
    problems: Problems,
    other_uses: Mapping[str, str],
) -> Inputs:
    """The input columns: those named, else all that are not targets and are of use.

    `other_uses` has the columns that the job needs for something else, each with the reason why it is no input.
    """
    names_of_targets = {composed(name) for name in spec.targets or ()}
    if spec.inputs is None:
        of_targets = {target.column.name for target in targets}
        others = [column for column in columns if column.name not in of_targets]
        return _useful(others, rows, spec.task, missing, problems, other_uses)
    chosen = named(spec.inputs, "/inputs", columns, problems)
    for path, column in chosen:
        if composed(column.name) in names_of_targets:
            problems.add("column_is_input_and_target", path, f"Column {column.name!r} is both an input and a target.")
        if spec.task == "reconstruction" and column.type == "datetime":
            problems.add(
                "target_is_datetime", path, f"Column {column.name!r} holds moments, which no network can reproduce."
            )
    return Inputs(chosen, [])


def _useful(
    columns: list[Column],
    rows: int,
    task: Task | None,
    missing: Missing,
    problems: Problems,
    other_uses: Mapping[str, str],
) -> Inputs:
    """All columns but those with another use, and those that would teach nothing, or nothing that holds elsewhere."""
    reasons = reasons_to_leave_out(columns, rows, task, missing, other_uses)
    chosen = [Chosen("/inputs", column) for column in columns if reasons[column.name] is None]
    left_out = [LeftOut(column=name, reason=reason) for name, reason in reasons.items() if reason is not None]
    if not chosen:
        why = "".join(f" {each.column!r} is left out: {each.reason}" for each in left_out[:3])
        problems.add(
            "no_inputs",
            "/inputs",
            f"No column is left that could be an input; list those to use in inputs.{why}"
            if left_out
            else "Every column is a target, so that no input is left.",
        )
    return Inputs(chosen, left_out)


def reasons_to_leave_out(
    columns: Sequence[Column], rows: int, task: Task | None, missing: Missing, other_uses: Mapping[str, str]
) -> dict[str, str | None]:
    """For each column by its name, why it is no input where nobody says that it is; None if it is one.

    Args:
        columns: those that are not targets.
        rows: of the dataset.
        task: what is learned; None while nobody knows.
        missing: what is done about missing values.
        other_uses: the columns that the job needs for something else, each with the reason why it is no input.
    """
    reasons = {
        column.name: other_uses.get(column.name) or _reason_to_leave_out(column, rows, task, missing)
        for column in columns
    }
    if columns and all(reasons.values()):  # a table may have nothing but what counts its rows
        reasons |= {
            column.name: None for column in columns if column.row_names == "counts" and column.name not in other_uses
        }
    return reasons


def _reason_to_leave_out(column: Column, rows: int, task: Task | None, missing: Missing) -> str | None:
    if column.row_names is not None:
        return _ROW_NAMES[column.row_names]
    if column.type == "text":
        return f"It is text: it holds more than {CATEGORY_LIMIT:,} different strings."
    if rows and column.missing == rows:
        return "It is empty: no row has a value."
    if (value := _constant(column)) is not None and not (column.missing and missing == "impute"):
        return f"It is constant: every value is {value}."
    if column.type == "category" and rows >= LEAST_ROWS_FOR_KEYS and 2 * len(column.categories or ()) > rows:
        return f"It looks like names or keys: it holds {len(column.categories or ()):,} different ones."
    if _is_too_large(column):
        return f"It holds numbers beyond ±{LARGEST_NUMBER:g}, whose squares cannot be computed."
    if task == "reconstruction" and column.type == "datetime":
        return "It holds moments, which no network can reproduce."
    return None


def _constant(column: Column) -> str | None:
    """The one value that the column has; None if there are several, or none."""
    if column.type == "datetime":
        return column.earliest if column.earliest == column.latest else None
    if column.type not in QUANTITIES:
        return repr(column.categories[0]) if column.categories is not None and len(column.categories) == 1 else None
    return f"{column.minimum:g}" if is_constant(column) else None


def is_constant(column: Column) -> bool:
    """Whether a column of numbers has the same value throughout, but for rounding."""
    if column.minimum is None or column.maximum is None:
        return False
    return bool(differs_by_rounding_only(column.minimum, column.maximum))


def _is_too_large(column: Column) -> bool:
    return any(abs(bound) > LARGEST_NUMBER for bound in (column.minimum or 0.0, column.maximum or 0.0))


def check_values(chosen: Chosen, missing: Missing, problems: Problems) -> None:
    """What a column must be whatever it is used for: no text, no number out of all bounds, no gap that is refused."""
    path, column = chosen
    if column.type == "text":
        problems.add(
            "text_column",
            path,
            f"Column {column.name!r} is text with more than {CATEGORY_LIMIT} different values, which a network "
            "cannot use.",
        )
    if column.missing and missing == "refuse":
        problems.add(
            "missing_values",
            path,
            f"Column {column.name!r} has {column.missing} missing values, and missing is refuse: use impute or "
            "drop_rows, or leave the column out.",
        )
    if _is_too_large(column):
        problems.add(
            "values_too_large",
            path,
            f"Column {column.name!r} holds numbers beyond ±{LARGEST_NUMBER:g}, whose squares cannot be computed.",
        )


def required_columns(inputs: list[Chosen], targets: list[Chosen], missing: Missing) -> list[Column]:
    """The columns with gaps in which a row must have a value, or is left out."""
    chosen = [*targets, *(inputs if missing == "drop_rows" else [])]
    return [each.column for each in chosen if each.column.missing]


def check_targets(targets: list[Chosen], task: Task | None, rows: int, problems: Problems) -> None:
    """What the columns to predict must be for the task."""
    for path, column in targets:
        if column.type == "datetime":
            problems.add(
                "target_is_datetime",
                path,
                f"Column {column.name!r} holds moments, which a network cannot predict. Give a number instead, such as "
                "the hours since an event.",
            )
        elif rows and column.missing == rows:
            problems.add("missing_values", path, f"Column {column.name!r} has no value in any row.")
    if task == "classification":
        _check_classes(targets, problems)
    elif task == "regression":
        _check_quantities(targets, problems)


def _check_classes(targets: list[Chosen], problems: Problems) -> None:
    if len(targets) > 1:
        problems.add("one_target_only", "/targets", f"Classification takes one target column, not {len(targets)}.")
    for path, column in targets:
        if column.type == "number":
            problems.add(
                "target_not_classes",
                path,
                f"Column {column.name!r} holds numbers with decimals; classes are integers, booleans or strings. "
                'Use task "regression".',
            )
        elif column.type == "integer" and column.categories is None:
            problems.add(
                "too_many_classes",
                path,
                f"Column {column.name!r} has more than {CATEGORY_LIMIT} different values, too many for classes. "
                'Use task "regression".',
            )
        elif column.categories is not None and len(column.categories) == 1:
            problems.add("one_class_only", path, f"Column {column.name!r} has the one value {column.categories[0]!r}.")


def _check_quantities(targets: list[Chosen], problems: Problems) -> None:
    for path, column in targets:
        if column.type in ("category", "boolean"):
            problems.add(
                "target_not_numeric",
                path,
                f"Column {column.name!r} is a {column.type} column and regression predicts numbers. For a single "
                'such target use task "classification".',
            )
        elif column.type in QUANTITIES and is_constant(column):
            problems.add(
                "constant_target",
                path,
                f"Column {column.name!r} has the one value {column.minimum:g} throughout: there is nothing to learn.",
            )
