"""What the trials of a job say: who goes on to the next fold, who is taken in the end, and the job that this makes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from backprop.passes.batches import updates_per_epoch
from backprop.selection.racing import best, mean_deviance, still_in
from backprop.selection.trials import Trial
from backprop_client.wire.presets import BATCH_SIZE
from backprop_client.wire.resolved_jobs import Candidate, ResolvedJob, Selection
from backprop_client.wire.specs import MOST_ITERATIONS, NetworkSpec
from domain.jobs.translation import activation_of, sized_network, sizes_of

ROWS_WITHOUT_RACING = 500
"""Training rows. With no more, all candidates are tried on all folds: deviances differ more from fold to fold than from
candidate to candidate, and trials take milliseconds."""

NO_TRIAL_WAS_FINITE = 0
"""The candidate that is taken when no trial has a finite deviance: the simplest. Its training says what is wrong."""


def networks_of(selection: Selection) -> list[NetworkSpec]:
    """The different networks among the candidates."""
    return [NetworkSpec(layers=layers) for layers in dict.fromkeys(each.layers for each in selection.candidates)]


def largest(networks: Sequence[NetworkSpec], inputs: int) -> NetworkSpec:
    """The network with most parameters on so many inputs."""
    return max(networks, key=lambda each: sized_network(each, sizes_of(each, inputs)).parameter_count)


def folds_done(selection: Selection) -> int:
    """How many folds have been left out and measured."""
    return max(len(candidate.deviances) for candidate in selection.candidates)


def next_candidates(selection: Selection) -> list[int]:
    """The candidates that are tried on the next fold, by position; none where all folds are done."""
    done = folds_done(selection)
    if done == selection.folds:
        return []
    if selection.rows <= ROWS_WITHOUT_RACING:
        return list(range(len(selection.candidates)))
    return still_in(_deviances(selection), done)


def with_trials(selection: Selection, positions: Iterable[int], trials: Iterable[Trial]) -> Selection:
    """The selection with what the trials of a fold have told about the candidates at these positions."""
    candidates = list(selection.candidates)
    for position, trial in zip(positions, trials, strict=True):
        candidate = candidates[position]
        deviance = trial.deviance if math.isfinite(trial.deviance) else None
        candidates[position] = candidate.model_copy(
            update={
                "deviances": (*candidate.deviances, deviance),
                "iterations": (*candidate.iterations, trial.iterations),
            }
        )
    return selection.model_copy(update={"candidates": tuple(candidates)})


def choose(job: ResolvedJob, training_rows: int, tried_on: int, most_iterations: int = MOST_ITERATIONS) -> ResolvedJob:
    """The job with the network and the weight decay of the best candidate.

    Args:
        job: whose selection has done all folds.
        training_rows: m.
        tried_on: how many of them took part in the trials.
        most_iterations: that a job may have here.
    """
    selection = job.selection
    assert selection is not None  # noqa: S101  # only jobs with one get here
    position = best(_deviances(selection), selection.folds, _without_hidden_layers(selection))
    chosen = NO_TRIAL_WAS_FINITE if position is None else position
    candidate = selection.candidates[chosen]
    network = NetworkSpec(layers=candidate.layers)
    sizes = sizes_of(network, job.sizes[0])
    training: dict[str, float] = {"weight_decay": candidate.weight_decay}
    if selection.tells_iterations and position is not None:
        updates = updates_per_epoch(training_rows, job.training.batch_size)
        epochs = max(1, min(_epochs(candidate, selection, tried_on), most_iterations // updates))
        training |= {"epochs": epochs, "iterations": epochs * updates}
    reason = _reason(selection, position)
    return job.model_copy(
        update={
            "network": network,
            "sizes": sizes,
            "parameters": sized_network(network, sizes).parameter_count,
            "training": job.training.model_copy(update=training),
            "selection": selection.model_copy(update={"chosen": chosen, "reason": reason}),
        }
    )


def _epochs(candidate: Candidate, selection: Selection, rows: int) -> int:
    """The epochs of the candidate's trial until it was at its best, `rows` having taken part."""
    trained = rows - math.ceil(rows / selection.parts)
    return max(1, round(candidate.iterations[0] / updates_per_epoch(trained, BATCH_SIZE)))


def _without_hidden_layers(selection: Selection) -> list[int]:
    return [position for position, candidate in enumerate(selection.candidates) if len(candidate.layers) == 1]


def _deviances(selection: Selection) -> list[list[float]]:
    return [
        [math.inf if deviance is None else deviance for deviance in candidate.deviances]
        for candidate in selection.candidates
    ]


def _reason(selection: Selection, position: int | None) -> str:
    if position is None and folds_done(selection) == 0:
        return "Too few rows are left to try anything on, so that the simplest candidate is taken."
    if position is None:
        return "No trial ended with a finite cost, so that the simplest candidate is taken."
    means = [mean_deviance(deviances) for deviances in _deviances(selection)]
    folds = "on the rows left out" if selection.folds == 1 else f"over {selection.folds} folds"
    others = [
        (mean, other)
        for other, mean in enumerate(means)
        if other != position and len(selection.candidates[other].deviances) == selection.folds
    ]
    next_mean, next_one = min(others, default=(math.inf, position))
    if next_mean < means[position]:
        lowest = _described(selection.candidates[next_one]).capitalize()
        return (
            f"It has a mean deviance {folds} of {means[position]:.4g}, and no hidden layer. {lowest} have "
            f"{next_mean:.4g}, which is no more than one standard error lower."
        )
    reason = f"It has the lowest mean deviance {folds}, {means[position]:.4g}"
    if not others:
        return f"{reason}; all others were far behind." if len(means) > 1 else f"{reason}; it was the only candidate."
    return f"{reason}; next comes {_described(selection.candidates[next_one])}, with {next_mean:.4g}."


def _described(candidate: Candidate) -> str:
    hidden = [f"{layer.units} {activation_of(layer)} units" for layer in candidate.layers[:-1]]
    return f"{' and '.join(hidden) or 'no hidden layer'} with λ = {candidate.weight_decay:g}"
