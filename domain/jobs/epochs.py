"""What of a training is counted in epochs, and so depends on how many rows it trains on."""

from __future__ import annotations

from backprop.passes.batches import updates_per_epoch
from backprop_client.wire.specs import TrainingSpec


def no_longer_than(training: TrainingSpec, most_iterations: int) -> TrainingSpec:
    """The training with so many iterations at most, which are then no epochs any more."""
    if training.iterations <= most_iterations:
        return training
    return training.model_copy(update={"iterations": most_iterations, "epochs": None})


def settled(training: TrainingSpec, m: int, *, holds_out: bool) -> TrainingSpec:
    """The training on m rows, its iterations and measurements counted in updates.

    Args:
        training: as it was asked for. Epochs, if it has them, become iterations.
        m: training rows, at least 1.
        holds_out: whether other rows are held out. If nothing is said of when, they are measured once an epoch.
    """
    updates = updates_per_epoch(m, training.batch_size)
    known: dict[str, int] = {}
    if training.epochs is not None:
        known["iterations"] = training.epochs * updates
    if holds_out and training.held_out_every is None:
        known["held_out_every"] = updates
    return training.model_copy(update=known)
