"""Thinning the costs of an old job for good: some `POINTS` rows stay that show the same curve when drawn.

They are those that a curve of so many points has (`costs.thin_rows`): the first, the last, the least and the greatest
of each stretch, and a measured row of each stretch where held-out rows are measured now and then. Besides, the rows
stay that a model's weights are of, and the few that the job needs to go on: it may be resumed as before.

A job of millions of rows is thinned piece by piece. Its row says with each how far that is: below `thinned_before` only
some rows are left and no blocks of extremes, from there on all of both. A job that is resumed and thinned again keeps
what its first part had.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from domain.jobs import checkpoints, cost_extremes, costs, rows
from domain.jobs.cost_extremes import BLOCK
from infra.tables import CostRow, Job, Model

POINTS = 1_000
"""Rows. So many are left of a job, or a few more."""

PIECE = 2**14
"""Iterations. One transaction thins so many. SQLite takes some 50 ms for that."""


def after_removal(job: Job, iteration: int) -> int | None:
    """`thinned_before` of a job whose rows from that iteration on have been removed."""
    if job.thinned_before is None or iteration == 0:
        return None
    return min(job.thinned_before, iteration)


def thin_some(session: Session, job: Job) -> bool:
    """Thin the next piece of a job that has ended and whose row is locked; tells whether another one is left."""
    last = costs.last_iteration(session, job.id)
    start = job.thinned_before or 0
    if last is None or last < POINTS or start > last:
        return False
    stop = min(start + PIECE, last + 1)
    kept = _kept(session, job, start, stop, last)
    session.execute(
        delete(CostRow).where(
            CostRow.job_id == job.id,
            CostRow.iteration >= start,
            CostRow.iteration < stop,
            CostRow.iteration.not_in([at for at in kept if start <= at < stop]),
        )
    )
    cost_extremes.thin(session, job.id, stop, _resumes_at(session, job))
    job.thinned_before = stop
    session.flush()
    return stop <= last


def _kept(session: Session, job: Job, start: int, stop: int, last: int) -> set[int]:
    """Iterations whose rows stay, those of the piece and perhaps some beside it."""
    every = rows.held_out_every(job)
    stretch = costs.stretch_for(0, last, POINTS, shows_held_out=every > 1)
    first, end = start // stretch * stretch, min(-(-stop // stretch) * stretch - 1, last)
    kept = cost_extremes.find(session, job.id, first, end, stretch, start) | {0, last}
    if every > 1:
        kept |= costs.first_measured(first, end, stretch, every)
    kept |= set(session.scalars(select(Model.iteration).where(Model.job_id == job.id)))
    resumes_at = _resumes_at(session, job)
    return kept | set(range((resumes_at - 1) // BLOCK * BLOCK, resumes_at))


def _resumes_at(session: Session, job: Job) -> int:
    """The iteration that the job would begin with if it were resumed."""
    checkpoint = checkpoints.iteration_of(session, job.id)
    return 0 if checkpoint is None else checkpoint + 1
