"""What a trained network gets right, on the rows it was trained on and on those held out."""

from __future__ import annotations

from typing import Any

from backprop.model import TrainedModel
from backprop.trivial import TrivialModel
from worker.preparation import TrainingData


def evaluate(model: TrainedModel, data: TrainingData) -> dict[str, Any]:
    """Metrics on training and held-out rows, in the user's own units and labels.

    Returns:
        ``{"training": {…}, "held_out": {…} or None, "trivial": {…}}``, plain JSON values. The first two have ``rows``
        and what the coding's `metrics` are. ``trivial`` says the same of the trivial model that the training rows give,
        in ``training`` and ``held_out`` of its own, and what it predicts in ``prediction``.
    """
    trivial = TrivialModel.of_training_rows(model.coding.targets, data.Y, data.weights)
    held_out = of_trivial = None
    if data.X_held is not None and data.Y_held is not None:
        held_out = {"rows": len(data.X_held), **model.metrics(data.X_held, data.Y_held, data.weights_held)}
        of_trivial = {"rows": len(data.X_held), **trivial.metrics(data.Y_held, data.weights_held)}
    return {
        "training": {"rows": len(data.X), **model.metrics(data.X, data.Y, data.weights)},
        "held_out": held_out,
        "trivial": {
            "prediction": trivial.prediction,
            "training": {"rows": len(data.X), **trivial.metrics(data.Y, data.weights)},
            "held_out": of_trivial,
        },
    }
