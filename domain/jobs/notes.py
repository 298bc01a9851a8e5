"""What a look at an ended job's curve would tell, and at the metrics of its model.

The notes speak of what has certainly gone wrong, and are silent about a good training. They are made in the transaction
that ends the job, from so few cost rows that neither time nor memory grows with the iterations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backprop.passes.batches import updates_per_epoch
from backprop_client.wire.jobs import JobNote
from domain.jobs import costs
from infra.tables import Job

Values = NDArray[np.float64]

POINTS = 1_000
"""Cost rows. Curves are looked at in so many."""

WINDOWS = 16
"""Means. The curve of mini-batches, whose J is that of other examples each time, is looked at in so many."""

MOST_OF_A_WINDOW = 512
"""Cost rows. A window is an epoch, so that all examples are in it, but reads no more than this."""

LEAST_OF_A_WINDOW = 100
"""Cost rows. A window that is shorter than an epoch has at least so many; otherwise its mean says little."""

LEAST_WINDOWS = 4
"""Windows. In fewer no course can be seen."""

LEAST_ITERATIONS = 20
"""Iterations. A shorter training has not stood still, it has hardly begun."""

STILL = 1e-3
"""A share of J. Of 400 trainings of real tables, those that changed by less in their second half had learnt nothing or
had converged long before."""

STILL_IN_WINDOWS = 5e-3
"""A share of J, for means over mini-batches, which scatter by a few thousandths."""

HARDLY_FALLEN = 0.05
"""A share of J at the start. A training that stands still after so little has not got anywhere."""

RISE = 0.1
"""A share of the lowest held-out cost. A lesser rise is no reason to worry."""

VISIBLE_RISE = 0.05
"""A share of how far the held-out cost had fallen. A lesser rise could not be seen in the curve."""

FEW_ROWS = 30
"""Rows. What is measured on fewer held-out rows may be chance, so that the training rows have to say the same."""

LEAST_R2 = 1e-3
"""R². A model that explains less is no better than the mean."""

TOLD_APART = 0.2
"""A share of the way from guessing to knowing, of the mean share of each class that is found. A model beyond it tells
rare classes apart, though in all it is right no more often than the most frequent class."""


def notes_of(session: Session, job: Job, metrics: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The notes of a job that ends now, a `JobNote` each as JSON.

    Args:
        session: of the transaction that ends it.
        job: its row, with what ended it.
        metrics: those of the model that it leaves, if it leaves one.
    """
    trivial = None if metrics is None else no_better_than_trivial(metrics)
    last = costs.last_iteration(session, job.id)
    found: list[JobNote | None] = []
    if last is not None:
        curve = _curve(session, job, last)
        found += [_did_not_fall(curve), _stood_still(curve, job, is_of_use=metrics is not None and trivial is None)]
        found.append(_held_out_rose(session, job, last))
    found.append(trivial)
    return [note.model_dump() for note in found if note is not None]


class Curve(NamedTuple):
    """The course of J, as far as it has to be known.

    Attributes:
        at: (n,) iterations. A mean is where its window begins.
        J: (n,) J there, extremes included; with mini-batches, means over windows.
        last: the last iteration.
        is_of_means: whether it is one of mini-batches.
    """

    at: NDArray[np.int64]
    J: Values
    last: int
    is_of_means: bool


def still_since(at: NDArray[np.int64], J: Values, still: float) -> tuple[int, float]:
    """From which of the iterations on J has stayed within `still` |J| of the end, and how far apart it was since."""
    greatest, least = (extreme.accumulate(J[::-1])[::-1] for extreme in (np.maximum, np.minimum))
    with np.errstate(over="ignore"):
        changes = greatest - least
        since = int(np.argmax(changes <= still * abs(J[-1])))  # the last one has not changed at all
    return int(at[since]), float(changes[since])


def risen_since(at: NDArray[np.int64], held_out: Values) -> tuple[int, float, float] | None:
    """Since when a held-out cost has risen, from what, and to what at the end; None if it has not, or a little only.

    It has if the last quarter of what was measured since the lowest is far above that.
    """
    lowest = int(np.argmin(held_out))
    since = held_out[lowest + 1 :]
    if len(since) < LEAST_WINDOWS:
        return None
    low = float(held_out[lowest])
    with np.errstate(over="ignore"):
        limit = max(RISE * abs(low), VISIBLE_RISE * (float(held_out[0]) - low))
        rise = float(since[-(len(since) // 4) :].min()) - low
    return (int(at[lowest]), low, float(held_out[-1])) if rise > limit else None


def no_better_than_trivial(metrics: Mapping[str, Any]) -> JobNote | None:
    """Whether a model is no better than the most frequent class, or the mean, on the rows held out if there are any.

    Args:
        metrics: what `worker.evaluation` measured.
    """
    held_out, training = metrics.get("held_out"), metrics["training"]
    if held_out is None:
        found = _trivial(training, "the training rows")
    elif held_out["rows"] < FEW_ROWS and _trivial(training, "") is None:
        found = None
    else:
        found = _trivial(held_out, "the held-out rows")
    return None if found is None else JobNote(code="no_better_than_trivial", message=found)


def _trivial(measured: Mapping[str, Any], rows: str) -> str | None:
    """What a model is no better than on these rows. This knows what the metrics are called."""
    accuracy, matrix = measured.get("accuracy"), measured.get("confusion_matrix")
    if isinstance(accuracy, float) and matrix is not None:
        counts = np.array(matrix["counts"], np.float64)
        actual = counts.sum(axis=1)
        share = float(actual.max() / actual.sum())
        if accuracy > share or share == 1 or _tells_apart(counts):
            return None
        label = matrix["classes"][int(actual.argmax())]
        return (
            f"The model is right for {accuracy:.1%} of {rows}, and whoever always says {label!r}, the most frequent "
            f"class, for {share:.1%}."
        )
    known = {name: value for name, value in (measured.get("r2") or {}).items() if value is not None}
    poor = [name for name, value in known.items() if value <= LEAST_R2]
    if not poor or (isinstance(accuracy, Mapping) and len(poor) < len(known)):  # a reconstruction has both
        return None
    named = ", ".join(f"{name!r} (R² {known[name]:.2g})" for name in poor[:5])
    return f"On {rows} the model is no better than the mean of {named}."


def _tells_apart(counts: Values) -> bool:
    """Whether each class is found often enough, on average, for a model that does not guess."""
    present = counts[counts.sum(axis=1) > 0]
    found = float((np.diag(counts)[counts.sum(axis=1) > 0] / present.sum(axis=1)).mean())
    guessed = 1 / len(present)
    return found > guessed + TOLD_APART * (1 - guessed)


def _curve(session: Session, job: Job, last: int) -> Curve | None:
    """J of the job; None where too little is known of it."""
    batch_size = job.spec["training"].get("batch_size")
    if batch_size is None:
        return _whole_curve(session, job, last)
    if job.row_counts is None:
        return None
    if job.thinned_before is not None:  # the rows that are left are no fair sample
        return None
    epoch = updates_per_epoch(job.row_counts["training"], batch_size)
    return _whole_curve(session, job, last) if epoch == 1 else _curve_of_means(session, job.id, last, epoch)


def _whole_curve(session: Session, job: Job, last: int) -> Curve:
    rows = costs.thin_rows(session, job.id, -1, POINTS, thinned_before=job.thinned_before or 0)
    return Curve(np.array([row.iteration for row in rows]), np.array([row.cost for row in rows]), last, False)


def _curve_of_means(session: Session, job_id: str, last: int, epoch: int) -> Curve | None:
    length = min(epoch, MOST_OF_A_WINDOW)
    count = min(WINDOWS, (last + 1) // length)
    if count < LEAST_WINDOWS:
        length = min(epoch, LEAST_OF_A_WINDOW)
        count = min(WINDOWS, (last + 1) // length)
    if count < LEAST_WINDOWS:
        return None
    starts = np.linspace(0, last + 1 - length, count).astype(np.int64)
    if length == epoch:  # record k has the batch k, so that epochs begin at the multiples
        starts = starts // epoch * epoch
    means = []
    for start in starts.tolist():
        rows, _ = costs.list_rows(session, job_id, start - 1, length)
        means.append(np.mean([row.cost for row in rows]))
    return Curve(starts, np.array(means), last, True)


def _did_not_fall(curve: Curve | None) -> JobNote | None:
    if curve is None or len(curve.J) < 2 or curve.J[0] <= 0:
        return None
    lowest = curve.J[-1] if curve.is_of_means else curve.J[1:].min()
    if lowest < curve.J[0]:
        return None
    return JobNote(
        code="cost_did_not_fall",
        message=f"J did not fall below its start: it was {curve.J[0]:.4g} there, and {curve.J[-1]:.4g} at the end. Try "
        "a smaller learning_rate, or other initial weights.",
    )


def _stood_still(curve: Curve | None, job: Job, *, is_of_use: bool) -> JobNote | None:
    """Of a model that is of use it is told only if it has been so for most of the time: it has simply converged."""
    if curve is None or curve.last < LEAST_ITERATIONS or job.stopped_by in ("tolerance", "no_progress"):
        return None
    since, change = still_since(curve.at, curve.J, STILL_IN_WINDOWS if curve.is_of_means else STILL)
    half, tenth = curve.last // 2, curve.last // 10
    steps_by_rate = job.spec["training"].get("optimizer") != "lbfgs"
    hardly_fallen = curve.J[0] - curve.J[-1] <= HARDLY_FALLEN * abs(curve.J[0])
    if since > half or (is_of_use and not hardly_fallen and not (steps_by_rate and since <= tenth)):
        return None
    reason = "the learning rate is too small, or it is" if steps_by_rate else "it is"
    return JobNote(
        code="cost_stood_still",
        message=f"J has stood still since iteration {since}: from there to iteration {curve.last} it has changed by "
        f"{change:.1e}, and is {curve.J[-1]:.4g}. Training has converged, or {reason} stuck where J is flat.",
    )


def _held_out_rose(session: Session, job: Job, last: int) -> JobNote | None:
    """With patience the model has the weights of the lowest held-out cost, and what came later does not matter."""
    training = job.spec["training"]
    if not (job.spec.get("holdout") or job.spec.get("holdout_by")) or training.get("patience") is not None:
        return None
    every = training.get("held_out_every") or 1
    measured = np.unique(np.linspace(0, last // every, POINTS).astype(np.int64)) * every
    rows = [row for row in costs.rows_at(session, job.id, measured.tolist()) if row.held_out_cost is not None]
    held_out = np.array([row.held_out_cost for row in rows], np.float64)
    finite = np.isfinite(held_out)
    if not finite.any():
        return None
    risen = risen_since(np.array([row.iteration for row in rows])[finite], held_out[finite])
    if risen is None:
        return None
    since, low, end = risen
    return JobNote(
        code="held_out_cost_rose",
        message=f"The held-out cost has risen since iteration {since}, from {low:.4g} to {end:.4g}: the network "
        "over-fits. Stop earlier (patience), use a larger weight_decay or a smaller network, or have more rows.",
    )
