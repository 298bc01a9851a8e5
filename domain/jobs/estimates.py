"""How long a job will take, judged by how long others took."""

from __future__ import annotations

from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from backprop.coding.holdout import held_out_rows
from backprop_client.wire.presets import BATCH_SIZE
from backprop_client.wire.resolved_jobs import ResolvedJob
from domain.jobs.epochs import settled
from infra.tables import Job

JOBS_LOOKED_AT = 20
"""Jobs. The newest so many that succeeded tell how fast the workers are; older ones may have had other machines."""

USUAL_SPEED = 2.7e10
"""Multiplications a second, where no job has ended yet. 10,000 examples through 64-25-64 units in float64 take two
cores 3.7 ms an iteration (benchmarks/RESULTS.md), which is about so many."""

ITERATION_SECONDS = 5e-5
"""Seconds. The least that an iteration takes, however small the network: its calls and the recording of its cost."""

TRIAL_ITERATION_SECONDS = 2e-4
"""Seconds. The least that an iteration of a trial takes: a line search has more calls than a step of descent."""

SHARE_OF_TRIALS = 0.5
"""Of all iterations that trials might take, so many are done: candidates drop out, and trials end when they get no
better. On 37 tables of few rows it was 0.5 on average, and from 0.2 to 0.9."""

_FORWARD_AND_BACK = 3
"""Multiplications for each weight and example: z, the deltas and the gradient."""

_LBFGS_EVALUATIONS = 1.2
"""Evaluations of J for an iteration of L-BFGS. Most take one, and some take several; it is a guess."""


def estimated_seconds(session: Session, job: ResolvedJob) -> float:
    """Seconds that the training takes, if the workers are as fast as they were for the newest jobs of all projects.

    An iteration takes `ITERATION_SECONDS` and its multiplications at the median speed of those jobs.
    """
    ended = session.execute(
        select(Job.spec, Job.rate)
        .where(Job.status == "succeeded", Job.rate.is_not(None))
        .order_by(Job.id.desc())
        .limit(JOBS_LOOKED_AT)
    )
    speeds = [speed for spec, rate in ended if (speed := _speed(ResolvedJob.model_validate(spec), rate)) is not None]
    speed = median(speeds) if speeds else USUAL_SPEED
    trials = _iterations_of_trials(job) * TRIAL_ITERATION_SECONDS + _multiplications_of_trials(job) / speed
    return job.training.iterations * (ITERATION_SECONDS + multiplications(job) / speed) + trials


def multiplications(job: ResolvedJob) -> float:
    """How many an iteration takes on average, for the examples that it trains on and for those held out."""
    of_them = held_out_rows(job.rows, job.holdout) if job.rows > 1 else 0  # of those with a value it is not known
    held = of_them if job.held_out_table is None else job.held_out_table.rows
    trained = min(job.training.batch_size or job.rows, job.rows - of_them)
    every = settled(job.training, job.rows - of_them, holds_out=held > 0).held_out_every or 1
    evaluations = _LBFGS_EVALUATIONS if job.training.optimizer == "lbfgs" else 1.0
    return evaluations * job.parameters * (_FORWARD_AND_BACK * trained + held / every)


def _iterations_of_trials(job: ResolvedJob) -> float:
    """How many the trials before a training take altogether, if that is still to come."""
    selection = job.selection
    if selection is None or selection.chosen is not None:
        return 0.0
    return SHARE_OF_TRIALS * len(selection.candidates) * selection.folds * selection.iterations


def _multiplications_of_trials(job: ResolvedJob) -> float:
    """Likewise; each candidate is taken to be as large as the largest, which takes most of the time."""
    selection = job.selection
    if selection is None:
        return 0.0
    with_batches = selection.folds < selection.parts
    examples = BATCH_SIZE if with_batches else _LBFGS_EVALUATIONS * selection.rows * (1 - 1 / selection.parts)
    return _iterations_of_trials(job) * job.parameters * _FORWARD_AND_BACK * examples


def _speed(job: ResolvedJob, rate: float) -> float | None:
    """Multiplications a second of a job that did `rate` iterations a second; None where other things took the time."""
    seconds = 1 / rate - ITERATION_SECONDS if rate > 0 else 0.0
    return multiplications(job) / seconds if seconds > ITERATION_SECONDS else None
