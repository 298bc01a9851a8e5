"""The costs' repository: J(W, b) of every iteration of every job."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, delete, func, literal, select
from sqlalchemy.orm import Session

from backprop.training import Record
from domain.jobs import cost_extremes
from infra import bulk_insert
from infra.tables import CostRow

_KEPT = 2
"""Rows of each stretch of a thinned curve: where J is least and greatest."""

_KEPT_WITH_HELD_OUT = 3
"""Rows of each stretch of a thinned curve that shows a held-out cost too."""

_RECORD = tuple(getattr(CostRow, name) for name in Record._fields)


def add(session: Session, job_id: str, records: Sequence[Record]) -> None:
    """Append records, which must follow those already there."""
    if not records:
        return
    values = list(chain.from_iterable(records))  # sliced, since zip(*records) takes four times as long
    columns = {name: values[place :: len(Record._fields)] for place, name in enumerate(Record._fields)}
    bulk_insert.insert(session, CostRow.__tablename__, job_id, columns)
    cost_extremes.add(session, job_id, records[0].iteration, [record.cost for record in records])


def remove_from(session: Session, job_id: str, iteration: int) -> None:
    """Remove the rows from that iteration on."""
    session.execute(delete(CostRow).where(CostRow.job_id == job_id, CostRow.iteration >= iteration))
    cost_extremes.remove_from(session, job_id, iteration)


def remove_first(session: Session, job_id: str, count: int) -> bool:
    """Remove the first rows of a job that has been deleted, so many at most; tells whether more are left."""
    query = select(CostRow.iteration).where(CostRow.job_id == job_id).order_by(CostRow.iteration)
    next_one = session.scalar(query.offset(count).limit(1))
    if next_one is not None:
        session.execute(delete(CostRow).where(CostRow.job_id == job_id, CostRow.iteration < next_one))
        return True
    session.execute(delete(CostRow).where(CostRow.job_id == job_id))
    return cost_extremes.remove_first(session, job_id, count)


def list_rows(
    session: Session, job_id: str, after: int, limit: int, before: int | None = None
) -> tuple[list[Record], bool]:
    """The next `limit` rows past iteration `after`, in order and gap-free, and whether more follow.

    With `before`, only those below that iteration.
    """
    conditions = [CostRow.job_id == job_id, CostRow.iteration > after]
    if before is not None:
        conditions.append(CostRow.iteration < before)
    rows = _fetch(session, select(*_RECORD).where(*conditions).order_by(CostRow.iteration).limit(limit + 1))
    return rows[:limit], len(rows) > limit


def thin_rows(
    session: Session,
    job_id: str,
    after: int,
    points: int,
    before: int | None = None,
    held_out_every: int = 1,
    thinned_before: int = 0,
) -> list[Record]:
    """At most `points` rows past iteration `after` (and below `before`) that show the same curve when drawn.

    Iterations are cut into stretches, counted from iteration 0, whose length is the smallest power of two for which the
    range has rows in at most (points − 2) / 2 of them. Of each stretch the rows with the least and the greatest J are
    kept, of equal ones the first, so that no spike is lost; the first and the last row always are among the result. If
    there are no more rows than points, all are.

    A job may have a held-out cost at the multiples of `held_out_every` only. Then rows between them would hide that
    curve: of each stretch the first such row is kept too, and there are at most (points − 2) / 3 stretches.

    Of the iterations below `thinned_before` only some rows are left (`cost_thinning`). What is said here of rows is
    then said of these.
    """
    first, last = _range(session, job_id, after, before)
    if first < thinned_before:
        first, last = _rows_left(session, job_id, first, last)
    if last - first < points:
        return list_rows(session, job_id, first - 1, points, last + 1)[0]
    shows_held_out = held_out_every > 1 and points >= 2 + _KEPT_WITH_HELD_OUT
    stretch = stretch_for(first, last, points, shows_held_out=shows_held_out)
    kept = cost_extremes.find(session, job_id, first, last, stretch, thinned_before) | {first, last}
    if shows_held_out:
        kept |= first_measured(first, last, stretch, held_out_every)
    return rows_at(session, job_id, sorted(kept))


def cost_at(session: Session, job_id: str, iteration: int) -> float:
    """J of one iteration, whose row must be there."""
    return session.execute(
        select(CostRow.cost).where(CostRow.job_id == job_id, CostRow.iteration == iteration)
    ).scalar_one()


def rows_at(session: Session, job_id: str, iterations: list[int]) -> list[Record]:
    """The rows of these iterations that there are, in order."""
    query = select(*_RECORD).where(CostRow.job_id == job_id).order_by(CostRow.iteration)
    if session.connection().dialect.name == "sqlite":
        return _fetch(session, query.where(CostRow.iteration.in_(iterations)))
    # Given a list, PostgreSQL reads all rows of the job, as long as it has no statistics of a table that grows fast.
    wanted = func.unnest(literal(iterations, ARRAY(BigInteger))).table_valued("iteration").render_derived("wanted")
    return _fetch(session, query.join(wanted, CostRow.iteration == wanted.c.iteration))


def last_iteration(session: Session, job_id: str) -> int | None:
    """The last iteration that has a row; None if none has."""
    return session.scalar(select(func.max(CostRow.iteration)).where(CostRow.job_id == job_id))


def _range(session: Session, job_id: str, after: int, before: int | None) -> tuple[int, int]:
    """The first and the last iteration between the two that have rows; if none has, the last is before the first."""
    newest = last_iteration(session, job_id)
    last = -1 if newest is None else newest
    return max(after + 1, 0), last if before is None else min(last, before - 1)


def _rows_left(session: Session, job_id: str, first: int, last: int) -> tuple[int, int]:
    """The first and the last iteration of the range that have rows; if none has, the last is before the first."""
    place = func.min(CostRow.iteration), func.max(CostRow.iteration)
    in_range = CostRow.job_id == job_id, CostRow.iteration >= first, CostRow.iteration <= last
    least, greatest = (session.scalar(select(each).where(*in_range)) for each in place)
    return (first, first - 1) if least is None or greatest is None else (least, greatest)


def stretch_for(first: int, last: int, points: int, *, shows_held_out: bool) -> int:
    """The smallest power of two for which what is kept of the range's stretches makes at most so many points."""
    most = (points - 2) // (_KEPT_WITH_HELD_OUT if shows_held_out else _KEPT)
    stretch = 1
    while last // stretch - first // stretch >= max(1, most):
        stretch *= 2
    return stretch


def first_measured(first: int, last: int, stretch: int, every: int) -> set[int]:
    """Of each stretch of the range the first iteration that is a multiple of `every`, if there is one."""
    starts = range(first // stretch * stretch, last + 1, stretch)
    measured = ((max(start, first), -(-max(start, first) // every) * every) for start in starts)
    return {at for start, at in measured if at <= last and at // stretch == start // stretch}


def _fetch(session: Session, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in session.execute(query)]
