"""What the Open Inference Protocol should answer where `/v1` answers something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop_client.wire.models import PredictionResponse


def outputs_for(answer: PredictionResponse, targets: Sequence[str]) -> dict[str, list[Any]]:
    """The elements of each output tensor, by its name.

    Args:
        answer: that of `/predict` to the same rows.
        targets: of the model; none of a reconstruction.
    """
    rows: list[Any] = answer.predictions
    if answer.scores is not None:
        return {"label": rows, "scores": [score for row in answer.scores for score in row]}
    if isinstance(rows[0], dict):
        return {column: [row[column] for row in rows] for column in rows[0]}
    (target,) = targets
    return {target: rows}
