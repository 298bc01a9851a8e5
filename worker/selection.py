"""Tries a job's candidates on its training rows, before the training."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.passes.batches import updates_per_epoch
from backprop.selection.folds import fold_of_rows
from backprop.selection.trials import Candidate, Rows, try_all
from backprop_client.wire.presets import BATCH_SIZE, CORRECTIONS
from backprop_client.wire.resolved_jobs import Candidate as CandidateSpec
from backprop_client.wire.resolved_jobs import ResolvedJob, Selection
from backprop_client.wire.specs import MOST_ITERATIONS, NetworkSpec, TrainingSpec
from domain.jobs.selection import choose, folds_done, next_candidates, with_trials
from domain.jobs.translation import output_activation, sized_network, sizes_of, training_of
from worker.preparation import TrainingData

PATIENCE = 6
"""Epochs. A trial with mini-batches ends after so many without a lower deviance."""

Record = Callable[[ResolvedJob], None]


def select(
    job: ResolvedJob, data: TrainingData, threads: int, record: Record, most_iterations: int = MOST_ITERATIONS
) -> ResolvedJob:
    """Try what is left to try, and take the best.

    Args:
        job: with a selection, which may have done some folds already.
        data: the coded rows.
        threads: how many trials run at once, at most; the result does not depend on it.
        record: called with the job after each fold, and with the chosen network and weight decay at last.
        most_iterations: that a job may have here.

    Returns:
        The job that was recorded last.
    """
    selection = job.selection
    assert selection is not None  # noqa: S101  # who has none is not asked to select
    sample = _sample(selection, job, data)
    fold = fold_of_rows(sample.Y, selection.parts, job.training.seed, classes=job.task == "classification")
    abandoned = Event()
    try:
        while len(sample.X) >= selection.parts and (positions := next_candidates(selection)):
            left_out = fold == folds_done(selection)
            trained, measured = sample.some(~left_out), sample.some(left_out)
            candidates = [_candidate(job, selection, selection.candidates[each], len(trained.X)) for each in positions]
            trials = try_all(candidates, trained, measured, threads, abandoned.is_set)
            selection = with_trials(selection, positions, trials)
            job = job.model_copy(update={"selection": selection})
            record(job)
    finally:
        abandoned.set()  # threads that still try something are to end
    job = choose(job, len(data.X), len(sample.X), most_iterations)
    record(job)
    return job


def _sample(selection: Selection, job: ResolvedJob, data: TrainingData) -> Rows:
    """The training rows that count or, where they are more than are tried on, a sample, in the order of the file."""
    everything = Rows(data.X, data.Y, data.cost_weights)
    weights = data.cost_weights
    # A fold whose rows all weigh 0 would have no deviance.
    counted: NDArray[Any] = np.arange(len(data.X)) if weights is None else np.flatnonzero(weights)
    if len(counted) == len(data.X) <= selection.rows:
        return everything
    if len(counted) > selection.rows:
        counted = counted[np.random.default_rng(job.training.seed).permutation(len(counted))[: selection.rows]]
    return everything.some(np.sort(counted))


def _candidate(job: ResolvedJob, selection: Selection, spec: CandidateSpec, rows: int) -> Candidate:
    network = NetworkSpec(layers=spec.layers)
    with_mini_batches = selection.folds < selection.parts
    training = TrainingSpec.model_validate(
        {
            "optimizer": "adam" if with_mini_batches else "lbfgs",
            "batch_size": BATCH_SIZE if with_mini_batches else None,
            "corrections": None if with_mini_batches else CORRECTIONS,
            "iterations": selection.iterations,
            "cost": job.training.cost,
            "weight_decay": spec.weight_decay,
            "seed": job.training.seed,
        }
    ).with_defaults(output_activation(job.network))
    return Candidate(
        sized_network(network, sizes_of(network, job.sizes[0])),
        training_of(training),
        job.training.init,
        job.training.epsilon,
        updates_per_epoch(rows, BATCH_SIZE) if with_mini_batches else None,
        PATIENCE if with_mini_batches else 1,
    )
