"""What a trained network gets right, on the rows it was trained on and on those held out, and by which columns."""

from __future__ import annotations

import math
from typing import Any

from backprop.importance import ColumnImportance, Effect, permutation_importance
from backprop.model import TrainedModel
from backprop.training import Training
from backprop.trivial import TrivialModel
from backprop_client.wire.models import ColumnImportanceOut, EffectOut, ImportanceOut
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


def importance_of_columns(model: TrainedModel, data: TrainingData, training: Training) -> ImportanceOut:
    """How much the model needs each of its input columns, the most important one first.

    Args:
        model: whose.
        data: the rows; those held out are looked at, or the training rows if none are.
        training: whose J(W,b;x,y) and seed are used.
    """
    cost, seed = training.cost, training.seed
    if data.X_held is None or data.Y_held is None:
        found = permutation_importance(model, data.X, data.Y, cost, seed, data.weights)
    else:
        found = permutation_importance(model, data.X_held, data.Y_held, cost, seed, data.weights_held)
    return ImportanceOut(
        on="training" if data.X_held is None else "held_out",
        rows=found.rows,
        repeats=found.repeats,
        seed=seed,
        columns=tuple(
            ColumnImportanceOut(
                column=each.column,
                score_decrease=_effect_out(each.score_decrease),
                cost_increase=_effect_out(each.cost_increase),
            )
            for each in sorted(found.columns, key=_size, reverse=True)
        ),
    )


def _size(importance: ColumnImportance) -> tuple[float, float]:
    """What columns are sorted by."""
    effects = (importance.score_decrease, importance.cost_increase)
    score, cost = (-math.inf if effect is None else effect.mean for effect in effects)
    return score, cost


def _effect_out(effect: Effect | None) -> EffectOut | None:
    return None if effect is None else EffectOut(mean=effect.mean, deviation=effect.deviation)
