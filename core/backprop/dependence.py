"""Partial dependence: what a model answers on average when one column has the same value in every row.

The definition is Friedman's (Greedy Function Approximation, 2001), as scikit-learn's `partial_dependence` has it with
``method="brute"``. The other columns keep the values that they have together in the rows.
"""

from __future__ import annotations

import numpy as np

from backprop.coding.columns import Array, Batch, Floats
from backprop.coding.inputs import CodedColumn, category_codes
from backprop.model import TrainedModel
from backprop.network import predict

MOST_CATEGORIES = 100
"""Categories. The most frequent ones of a column are looked at."""


def grid(column: CodedColumn, values: Array, points: int) -> Array:
    """The values that a column is set to, in order; None or NaN comes last where the network has a unit for gaps.

    - Categories: those of the column. If there are more than `MOST_CATEGORIES`, the most frequent ones among the
      values, of equally frequent ones the first; still in the order of the column.
    - Numbers and moments: the different values that are present. If there are more than `points`, the quantiles
      k / (points − 1) for k = 0, 1, …, points − 1, each of them a value that is present
      (``numpy.quantile(…, method="inverted_cdf")``), without those that come twice.

    Args:
        column: which column.
        values: that it has in some rows, (m,), as a batch holds them.
        points: how many at most, at least 2.
    """
    if column.categories is not None:
        return _of_categories(column, values)
    numbers = np.asarray(values, np.float64)
    different = np.unique(numbers[~np.isnan(numbers)])
    if len(different) > points:
        present = numbers[~np.isnan(numbers)]
        different = np.unique(np.quantile(present, np.linspace(0, 1, points), method="inverted_cdf"))
    return np.append(different, np.nan) if column.has_gaps else different


def _of_categories(column: CodedColumn, values: Array) -> Array:
    categories = column.categories or ()
    counts = np.bincount(category_codes(column, values), minlength=len(categories))[: len(categories)]
    most_frequent = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
    chosen: list[bool | str | None] = [categories[position] for position in most_frequent.tolist()]
    return np.array([*chosen, None] if column.has_gaps else chosen, dtype=object)


def mean_answers(model: TrainedModel, batch: Batch, column: str, values: Array) -> Floats:
    """What the model answers on average over the rows of a batch, the column having each of the values in all of them.

    Args:
        model: of classes or numbers.
        batch: all input columns, of at least one row; others are ignored.
        column: an input column.
        values: for it, (p,), as a batch holds them.

    Returns:
        (p, K): the mean score of each of the K classes, or the mean of each of the K targets in its own units. They
        are not finite where the network overflows.

    Raises:
        ValueError: a category is not among the known ones.
    """
    inputs, dtype = model.coding.inputs, model.parameters.vector.dtype
    position = next(number for number, each in enumerate(inputs.coded_columns) if each.name == column)
    first = inputs.first_units[position]
    units = slice(first, first + inputs.coded_columns[position].width)
    # A column's units depend on its value alone. So those of all values come from the first row, repeated.
    repeated: dict[str, Array] = {name: np.repeat(of_rows[:1], len(values)) for name, of_rows in batch.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        coded = inputs.encode(repeated | {column: values}, dtype)[:, units]
        X = inputs.encode(batch, dtype)
        means: list[Floats] = []
        for of_value in coded:
            X[:, units] = of_value
            means.append(_answers(model, predict(model.parameters, X)).mean(axis=0))
    return np.stack(means)


def _answers(model: TrainedModel, outputs: Array) -> Floats:
    """Scores of the classes, or values of the targets, (m, K), for the outputs for m rows."""
    targets = model.coding.targets
    scores = targets.class_scores(outputs)
    return np.column_stack(list(targets.decode(outputs).values())) if scores is None else scores.scores
