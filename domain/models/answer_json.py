"""A model's answers as JSON, written from the arrays they are in.

- classification: `predictions`, a label for each row; `classes`, all labels in the model's order; `scores`, for each
  row a number for each class, in that order;
- regression: `predictions`, a number for each row; of several targets, an object for each row;
- reconstruction: `predictions`, an object for each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from backprop.coding.targets import TargetCoding
from domain.models.prediction import Predictions


def answer_json(model_id: str, targets: TargetCoding, predictions: Predictions) -> bytes:
    """The text of a `PredictionResponse`.

    Args:
        model_id: of the model that answers.
        targets: its coding of these.
        predictions: for one row at least.
    """
    answer = {
        "model_id": model_id,
        "predictions": _by_row(targets, predictions),
        **_votes(predictions),
        "unknown": [unknown.model_dump() for unknown in predictions.unknown],
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _by_row(targets: TargetCoding, predictions: Predictions) -> list[Any]:
    """What is predicted for each row: the one value, or an object of several."""
    blocks = predictions.blocks
    columns: dict[str, list[Any]] = {
        name: np.concatenate([block.columns[name] for block in blocks]).tolist() for name in blocks[0].columns
    }
    if len(targets.columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _votes(predictions: Predictions) -> dict[str, Any]:
    votes = [block.scores for block in predictions.blocks if block.scores is not None]
    if not votes:
        return {}
    return {"classes": votes[0].classes, "scores": np.concatenate([each.scores for each in votes])}
