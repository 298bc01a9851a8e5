"""A dataset that is read in the terms of a model whose columns were read from another one.

A column of codes such as ``11`` and ``1A`` is one of categories. Another batch of the same table may by chance have
digits only, and its column is read as integers then. What the cells said is not lost: the category is the one whose
text is that number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_client.wire.columns import Labels
from backprop_client.wire.resolved_jobs import ResolvedJob
from infra.errors import InvalidRequest

Array = NDArray[Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def category_of(value: bool | float, categories: tuple[str, ...]) -> str | None:
    """The category that this number or boolean was written as.

    That is the one with the number's own digits, else the only one of that value (``007`` for 7, ``1.0`` for 1); for a
    boolean the only one that says so (``True``, ``TRUE`` or ``true``). None if there is no such category.
    """
    plain = str(value)
    if not isinstance(value, bool) and plain in categories:
        return plain
    same = _by_value(categories).get(plain.lower() if isinstance(value, bool) else float(value), [])
    return same[0] if len(same) == 1 else None


@lru_cache(maxsize=64)
def _by_value(categories: tuple[str, ...]) -> dict[float | str, list[str]]:
    found: dict[float | str, list[str]] = {}
    for category in categories:
        value: float | str = float(category) if _NUMBER.fullmatch(category) else category.lower()
        found.setdefault(value, []).append(category)
    return found


def in_terms_of(job: ResolvedJob, batch: Mapping[str, Array], reread: Collection[str]) -> dict[str, Array]:
    """A batch of a dataset's columns, labels that were read as another type being the job's again.

    `reread` names the columns of the dataset that were read as another type; the batch may lack some.

    Raises:
        InvalidRequest: a value is none that the model knows (code ``unknown_category``).
    """
    labels_of: dict[str, Labels | None] = {column.name: column.categories for column in job.inputs}
    labels_of |= {column.name: column.classes for column in job.targets}
    columns = dict(batch)
    for name in reread:
        labels = labels_of.get(name)
        if labels is not None and name in batch:
            columns[name] = _labels_again(name, labels, batch[name])
    return columns


def _labels_again(name: str, labels: Labels, values: Array) -> Array:
    """The labels that values of another type stand for; None where one is missing."""
    # A column that was read as one of numbers has NaN where a value is missing.
    plain = [None if value is None or value != value else value for value in values.tolist()]
    categories = tuple(label for label in labels if isinstance(label, str))
    known: dict[Any, str | None] = {value: category_of(value, categories) for value in set(plain) if value is not None}
    unknown = [value for value, category in known.items() if category is None]
    if unknown:
        raise InvalidRequest(
            "unknown_category", f"Column {name!r} has the value {unknown[0]!r}, which the model does not know."
        )
    return np.array([known.get(value) for value in plain], dtype=object)
