"""A first look at a dataset: its first rows, and how the values of a column are spread in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from backprop_client.wire.columns import Column
from backprop_client.wire.datasets import Scalar
from domain.datasets.files import plain_values, row_batches
from infra.artifacts import ArtifactStore


def first_values(store: ArtifactStore, key: str, columns: Sequence[Column], rows: int) -> list[list[Scalar]]:
    """The values of some columns in the first rows, column by column; None is missing, moments are in ISO 8601.

    Args:
        store: where the file is.
        key: the file's key.
        columns: what is known of those that are wanted, at least one. The others are not read.
        rows: how many rows; fewer come back when there are fewer.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with store.reading(key) as source:
        first = next(row_batches(source, [column.name for column in columns], rows))
    return [plain_values(column, values) for column, values in zip(columns, first.columns, strict=True)]


def bin_counts(values: Sequence[Scalar], minimum: float, maximum: float, bins: int) -> list[int]:
    """How many of the numbers are in each of so many equally wide parts of the range, its ends included.

    Args:
        values: numbers within the range; None, which is a missing one, is not counted.
        minimum: where the range begins.
        maximum: where it ends, at least `minimum`.
        bins: how many parts, at least one.
    """
    present = np.array([value for value in values if value is not None], dtype=float)
    width = maximum / bins - minimum / bins  # the difference itself could be infinite
    if width <= 0:
        return [present.size] + [0] * (bins - 1)
    places = np.clip(((present / bins - minimum / bins) / width * bins).astype(int), 0, bins - 1)
    return [int(count) for count in np.bincount(places, minlength=bins)]


def frequent_values(values: Sequence[Scalar], most: int) -> Sequence[tuple[Scalar, int]]:
    """The values that come most often, with how often; None, which is a missing one, is not counted."""
    return Counter(value for value in values if value is not None).most_common(most)
