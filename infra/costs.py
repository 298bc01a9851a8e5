"""The costs' repository: J(W, b) of every iteration of every job."""

from __future__ import annotations

from collections.abc import Sequence

from backprop.training import Record
from sqlalchemy import Select, func, insert, or_, select
from sqlalchemy.orm import Session

from infra.tables import Cost


def add(session: Session, job_id: str, rows: Sequence[Record]) -> None:
    """Append rows, which must follow those already there."""
    session.execute(
        insert(Cost.__table__),  # type: ignore[arg-type]  # Core's executemany: no object a row
        [
            {
                "job_id": job_id,
                "iteration": row.iteration,
                "cost": row.cost,
                "data_cost": row.data_cost,
                "decay_cost": row.decay_cost,
            }
            for row in rows
        ],
    )


def list_rows(session: Session, job_id: str, after: int, limit: int) -> tuple[list[Record], bool]:
    """The next `limit` rows past iteration `after`, in order and gap-free, and whether more follow."""
    rows = _fetch(
        session,
        select(Cost.iteration, Cost.cost, Cost.data_cost, Cost.decay_cost)
        .where(Cost.job_id == job_id, Cost.iteration > after)
        .order_by(Cost.iteration)
        .limit(limit + 1),
    )
    return rows[:limit], len(rows) > limit


def thin_rows(session: Session, job_id: str, after: int, points: int) -> list[Record]:
    """At most `points` rows past iteration `after` that show the same curve when drawn.

    The iterations are cut into equal stretches and of each the rows with the least and the greatest J are kept,
    so that no spike is lost; the first and the last row always are among the result.
    """
    conditions = (Cost.job_id == job_id, Cost.iteration > after)
    first, last, count = session.execute(
        select(func.min(Cost.iteration), func.max(Cost.iteration), func.count()).where(*conditions)
    ).one()
    everything = (
        select(Cost.iteration, Cost.cost, Cost.data_cost, Cost.decay_cost).where(*conditions).order_by(Cost.iteration)
    )
    if count <= points:
        return _fetch(session, everything)
    stretches = max(1, (points - 2) // 2)
    stretch = ((Cost.iteration - first) * stretches) // (last - first + 1)
    ranked = (
        select(
            Cost.iteration,
            Cost.cost,
            Cost.data_cost,
            Cost.decay_cost,
            func.row_number().over(partition_by=stretch, order_by=(Cost.cost, Cost.iteration)).label("from_least"),
            func.row_number()
            .over(partition_by=stretch, order_by=(Cost.cost.desc(), Cost.iteration))
            .label("from_greatest"),
        )
        .where(*conditions)
        .subquery()
    )
    kept = or_(ranked.c.from_least == 1, ranked.c.from_greatest == 1, ranked.c.iteration.in_((first, last)))
    return _fetch(
        session,
        select(ranked.c.iteration, ranked.c.cost, ranked.c.data_cost, ranked.c.decay_cost)
        .where(kept)
        .order_by(ranked.c.iteration),
    )


def _fetch(session: Session, query: Select[int, float, float, float]) -> list[Record]:
    return [Record(*row) for row in session.execute(query)]
