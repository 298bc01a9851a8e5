"""What the Open Inference Protocol should answer where `/v1` answers something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def outputs_for(answer: dict[str, Any], targets: Sequence[str]) -> dict[str, list[Any]]:
    """The elements of each output tensor, by its name.

    Args:
        answer: that of `/predict` to the same rows.
        targets: of the model; none of a reconstruction.
    """
    rows = answer["predictions"]
    if "scores" in answer:
        return {"label": rows, "scores": [score for row in answer["scores"] for score in row]}
    if isinstance(rows[0], dict):
        return {column: [row[column] for row in rows] for column in rows[0]}
    (target,) = targets
    return {target: rows}
