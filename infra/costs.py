"""The costs' repository: J(W, b) of every iteration of every job."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from backprop.training import Record
from infra.tables import Cost

_ROWS_A_STATEMENT = 1_000

_COLUMNS = ", ".join(Record._fields)

_INSERT_INTO_POSTGRESQL = (
    f"INSERT INTO costs (job_id, {_COLUMNS}) SELECT %s, * FROM unnest("  # noqa: S608  # no input in it
    + ", ".join("%s::bigint[]" if name == "iteration" else "%s::float8[]" for name in Record._fields)
    + ")"
)


def add(session: Session, job_id: str, records: Sequence[Record]) -> None:
    """Append records, which must follow those already there.

    One statement takes a thousand rows, so that the driver lets go of the interpreter lock once for all of them and
    not once a row: the training thread, which needs that lock between any two NumPy calls, hardly notices.
    """
    connection = session.connection()
    for start in range(0, len(records), _ROWS_A_STATEMENT):
        chunk = records[start : start + _ROWS_A_STATEMENT]
        if connection.dialect.name == "sqlite":
            values: list[object] = [job_id]
            for record in chunk:
                values += record
            connection.exec_driver_sql(_insert_into_sqlite(len(chunk)), tuple(values))
        else:
            columns = [list(column) for column in zip(*chunk, strict=True)]
            connection.exec_driver_sql(_INSERT_INTO_POSTGRESQL, (job_id, *columns))


@lru_cache(maxsize=8)
def _insert_into_sqlite(rows: int) -> str:
    """One INSERT of that many rows; parameter 1 is the job's id, then come the rows' own."""
    width = len(Record._fields)
    places = (
        ", ".join(f"?{number}" for number in range(2 + row * width, 2 + (row + 1) * width)) for row in range(rows)
    )
    return f"INSERT INTO costs (job_id, {_COLUMNS}) VALUES (?1, {'), (?1, '.join(places)})"  # noqa: S608  # no input in it


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
