"""What a trained network gets right, on the rows it was trained on and on those held out."""

from __future__ import annotations

from typing import Any

from backprop.model import TrainedModel
from worker.preparation import Array, TrainingData


def evaluate(model: TrainedModel, data: TrainingData) -> dict[str, Any]:
    """Metrics on training and held-out rows, in the user's own units and labels.

    Returns:
        ``{"training": {…}, "held_out": {…} or None}``, plain JSON values. Each part has ``rows`` and what the coding's
        `metrics` are: accuracy and confusion matrix of classes; RMSE and R² of numbers; for a reconstruction both, and
        the accuracy of each category column.
    """
    held_out = None
    if data.X_held is not None and data.Y_held is not None:
        held_out = _metrics(model, data.X_held, data.Y_held)
    return {"training": _metrics(model, data.X, data.Y), "held_out": held_out}


def _metrics(model: TrainedModel, X: Array, Y: Array) -> dict[str, Any]:
    return {"rows": len(X), **model.metrics(X, Y)}
