"""Files of rows to predict for, and of what was predicted."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from backprop_client.handles.naming import is_dataset_id
from backprop_client.handles.predicting import ModelFacts
from backprop_client.tables.answers import Label, RowsForm, text_of
from backprop_client.transport.calls import Content

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".pq": "application/vnd.apache.parquet",
    ".arrows": "application/vnd.apache.arrow.stream",
}
"""By the suffix of a file's name: what it can be sent as with a request for predictions, and what can be answered."""

_MOST_DIRECT_BYTES = 8 * 2**20
"""Bytes. A smaller file goes with a request, a larger one to a worker. Services take twice as many with a request,
unless they are told otherwise."""


def is_file(data: object) -> bool:
    """Whether this is a path, bytes or an open file, and no table.

    Raises:
        TypeError: it is a file that was opened as text.
    """
    if isinstance(data, io.TextIOBase):
        raise TypeError("The file is opened as text. Open it in binary mode: open(path, 'rb').")
    return isinstance(data, str | os.PathLike | bytes) or hasattr(data, "read")


def content_of(data: object) -> Content:
    """What `is_file` has found to be one."""
    return cast("Content", data)


def direct_type(data: object) -> str | None:
    """What a file is that can go with a request for predictions; None if it is another file, or too large."""
    if not isinstance(data, str | os.PathLike) or is_dataset_id(data):
        return None
    path = Path(data)
    return MEDIA_TYPES.get(path.suffix.lower()) if path.stat().st_size <= _MOST_DIRECT_BYTES else None


def media_type_of(path: str | os.PathLike[str]) -> str:
    """What a file of that name is.

    Raises:
        ValueError: predictions are not written as such a file.
    """
    found = MEDIA_TYPES.get(Path(path).suffix.lower())
    if found is None:
        raise ValueError(f"Predictions are written as {', '.join(MEDIA_TYPES)}, and not as {Path(path).name!r}.")
    return found


def answers_in(content: bytes, facts: ModelFacts, scores: bool) -> list[Any]:
    """What a CSV file of answers says: a value for each row, or a dict where there are several.

    Args:
        content: the file.
        facts: of the model.
        scores: whether the scores are wanted, and not the labels.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    if scores:
        return [{label: float(row[f"score_{text_of(label)}"]) for label in facts.classes or ()} for row in rows]
    columns: dict[Label, list[Any]] = {
        name: [_value(row[name], facts.labels.get(name)) for row in rows] for name in facts.answers
    }
    told: list[Any] = RowsForm().several(columns) if len(columns) > 1 else columns[facts.answers[0]]
    return told


def _value(cell: str, labels: Mapping[str, Label] | None) -> Label | float | None:
    """What a cell says. That of a category which is reconstructed as missing is empty."""
    if labels is None:
        return float(cell)
    return labels[cell] if cell or cell in labels else None
