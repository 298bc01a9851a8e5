"""What a job tries before it trains, where its network or its weight decay is left to the preset ``auto``.

The lists are those that did well on many tables of very different kinds (benchmarks/RESULTS.md). Few rows are dealt to
folds, each of which judges trainings on the others. Many rows are dealt to ten parts, of which one judges.
"""

from __future__ import annotations

from collections.abc import Sequence

from backprop.passes.batches import updates_per_epoch
from backprop_client.wire.presets import (
    BATCH_SIZE,
    LEAST_ROWS,
    WEIGHT_DECAY_OF_MANY,
    Situation,
    is_everything_chosen_by_auto,
    says_how_long,
)
from backprop_client.wire.resolved_jobs import Candidate, Selection
from backprop_client.wire.specs import JobSpec, LayerSpec, NetworkSpec

LINEAR_DECAYS = (1e-4, 1e-3, 1e-2, 1e-1)
HIDDEN_DECAYS = (1e-3, 1e-2, 3e-2, 1e-1)
"""λ of networks without and with hidden layers, for few rows."""

ROWS_WITHOUT_RELU = 2_000
"""Training rows. Above, as many relu units as tanh units are tried, too. Below, they made no difference."""

TANH_DECAYS_OF_MORE = (1e-3, 1e-2)
RELU_DECAYS_OF_MORE = (1e-3, 3e-3, 1e-2)
"""λ of the two where both are tried. Larger ones for tanh took a fifth of the time there, and changed nothing."""

UNITS_FOR_MANY = 64
"""Units of a hidden layer, for many rows."""

FOLDS = 5
FOLDS_OF_MORE = 3
ROWS_FOR_FEWER_FOLDS = 2_000
"""Training rows. Above, three folds tell candidates apart as well as five."""

FEW_ROWS_ITERATIONS = 60
"""Updates of a trial by L-BFGS. The order of candidates hardly changes after that."""

PARTS_OF_MANY = 10
EPOCHS_OF_MANY = 100
"""Passes over the rows, at most. Most trials end long before, when the deviance falls no further."""

MOST_VALUES = 2**25
"""Values, of coded inputs and targets. With more, a sample of the rows takes part in the trials, so that these fit into
memory (a quarter of a gigabyte in float64)."""

MOST_ROWS = 50_000
"""Training rows. More would not choose better, only longer."""


def selection_of(
    spec: JobSpec, network: NetworkSpec | None, situation: Situation, inputs: int, outputs: int
) -> Selection | None:
    """What is to be tried; None where nothing is.

    Args:
        spec: the request.
        network: the one that it gives or names, complete; None if it has none.
        situation: of the job.
        inputs: units of the input layer.
        outputs: units of the output layer.
    """
    if not _is_wanted(spec, network, situation):
        return None
    candidates = _candidates(spec, network, situation, outputs)
    tells_iterations = _tells_iterations(spec, situation)
    if len(candidates) < 2 and not tells_iterations:
        return None
    rows = min(situation.rows, MOST_ROWS, max(LEAST_ROWS, MOST_VALUES // (inputs + outputs)))
    if not situation.has_few_rows:
        trained = rows - rows // PARTS_OF_MANY
        most = EPOCHS_OF_MANY * updates_per_epoch(trained, BATCH_SIZE)
        parts, folds = PARTS_OF_MANY, 1
    else:
        most = FEW_ROWS_ITERATIONS
        parts = folds = FOLDS if rows <= ROWS_FOR_FEWER_FOLDS else FOLDS_OF_MORE
    return Selection(
        parts=parts,
        folds=folds,
        rows=rows,
        iterations=most,
        tells_iterations=tells_iterations,
        candidates=candidates,
    )


def _is_wanted(spec: JobSpec, network: NetworkSpec | None, situation: Situation) -> bool:
    training = spec.training
    if situation.preset != "auto" or not spec.select or spec.from_model_id is not None or situation.sparse:
        return False
    if situation.task == "reconstruction" or situation.rows < LEAST_ROWS:
        return False
    return network is None or is_everything_chosen_by_auto(training)


def _candidates(
    spec: JobSpec, network: NetworkSpec | None, situation: Situation, outputs: int
) -> tuple[Candidate, ...]:
    tried = _networks(situation) if network is None else [(network, _decays(network.layers, situation))]
    given = spec.training.weight_decay if "weight_decay" in spec.training.model_fields_set else None
    return tuple(
        Candidate(layers=_with_output_units(each, outputs), weight_decay=decay)
        for each, decays in tried
        for decay in (decays if given is None else (given,))
    )


def _with_output_units(network: NetworkSpec, outputs: int) -> tuple[LayerSpec, ...]:
    *hidden, output = network.layers
    return (*hidden, output.model_copy(update={"units": outputs}))


def _networks(situation: Situation) -> list[tuple[NetworkSpec, tuple[float, ...]]]:
    """The networks among which `auto` chooses, each with the λ that it is tried with."""
    if not situation.has_few_rows:
        sizes: list[tuple[int, ...]] = [(), (UNITS_FOR_MANY,), (UNITS_FOR_MANY, UNITS_FOR_MANY)]
        return [(situation.network_of(hidden), (WEIGHT_DECAY_OF_MANY,)) for hidden in sizes]
    linear, tanh = situation.network_of(()), situation.network_of((situation.usual_units,))
    if situation.rows <= ROWS_WITHOUT_RELU:
        return [(linear, LINEAR_DECAYS), (tanh, HIDDEN_DECAYS)]
    layers = (LayerSpec(units=situation.usual_units, activation="relu"), LayerSpec())
    relu = situation.complete(NetworkSpec(layers=layers))
    return [(linear, LINEAR_DECAYS), (tanh, TANH_DECAYS_OF_MORE), (relu, RELU_DECAYS_OF_MORE)]


def _decays(layers: Sequence[LayerSpec], situation: Situation) -> tuple[float, ...]:
    """The λ that a network of the client's is tried with."""
    if not situation.has_few_rows:
        return (WEIGHT_DECAY_OF_MANY,)
    return LINEAR_DECAYS if len(layers) == 1 else HIDDEN_DECAYS


def _tells_iterations(spec: JobSpec, situation: Situation) -> bool:
    """Whether the trials also tell how long to train: with mini-batches, unless the client has said it."""
    return (
        not situation.has_few_rows
        and not spec.training.tolerance
        and is_everything_chosen_by_auto(spec.training)
        and not says_how_long(spec.training)
    )
