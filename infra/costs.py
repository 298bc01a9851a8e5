"""The costs' repository: J(W, b) of every iteration of every job."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from backprop.training import Record
from infra.tables import Cost

_ROWS_A_STATEMENT = 1_000


def add(session: Session, job_id: str, records: Sequence[Record]) -> None:
    """Append records, which must follow those already there.

    Both databases are given many rows at once in C, as tens of thousands may come in a second: SQLite a thousand rows a
    statement, PostgreSQL a binary COPY.
    """
    if not records:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        for start in range(0, len(records), _ROWS_A_STATEMENT):
            chunk = records[start : start + _ROWS_A_STATEMENT]
            connection.exec_driver_sql(_insert_of(len(chunk)), (job_id, *chain.from_iterable(chunk)))
    else:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101  # the only other database there is
        with driver.cursor().copy(f"COPY costs (job_id, {_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_copy_data(job_id, records))


def remove_from(session: Session, job_id: str, iteration: int) -> None:
    """Remove the rows from that iteration on: they may be there from a commit whose success could not be told."""
    session.execute(delete(Cost).where(Cost.job_id == job_id, Cost.iteration >= iteration))


_COLUMNS = ", ".join(Record._fields)
_RECORD = tuple(getattr(Cost, name) for name in Record._fields)


@lru_cache(maxsize=8)
def _insert_of(rows: int) -> str:
    """One INSERT of that many rows; parameter 1 is the job's id, then come the rows' own."""
    width = len(Record._fields)
    places = (
        ", ".join(f"?{number}" for number in range(2 + row * width, 2 + (row + 1) * width)) for row in range(rows)
    )
    return f"INSERT INTO costs (job_id, {_COLUMNS}) VALUES (?1, {'), (?1, '.join(places)})"  # noqa: S608  # no input in it


def _copy_data(job_id: str, records: Sequence[Record]) -> bytes:
    """What COPY … (FORMAT BINARY) reads: a header, the rows, a trailer.

    A row is the number of its fields (int16), and for each field its length in bytes (int32) and its value, all
    big-endian: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
    """
    key = job_id.encode()
    types = {"job_id": f"S{len(key)}", "iteration": ">i8", "evaluations": ">i8"}
    values = list(chain.from_iterable(records))  # sliced, since zip(*records) takes four times as long
    columns = {
        "job_id": key,
        **{name: values[place :: len(Record._fields)] for place, name in enumerate(Record._fields)},
    }
    # A job has held-out rows at every iteration or at none. A null has no bytes and the length −1.
    nulls = {name for name in ("held_out_cost",) if getattr(records[0], name) is None}
    layout = [("fields", ">i2")]
    for name in columns:
        layout.append((f"{name}_length", ">i4"))
        if name not in nulls:
            layout.append((name, types.get(name, ">f8")))
    rows = np.empty(len(records), layout)
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name}_length"] = -1 if name in nulls else rows.dtype[name].itemsize
        if name not in nulls:
            rows[name] = column
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"


def list_rows(session: Session, job_id: str, after: int, limit: int) -> tuple[list[Record], bool]:
    """The next `limit` rows past iteration `after`, in order and gap-free, and whether more follow."""
    rows = _fetch(
        session,
        select(*_RECORD).where(Cost.job_id == job_id, Cost.iteration > after).order_by(Cost.iteration).limit(limit + 1),
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
    if count <= points:
        return _fetch(session, select(*_RECORD).where(*conditions).order_by(Cost.iteration))
    stretches = max(1, (points - 2) // 2)
    stretch = ((Cost.iteration - first) * stretches) // (last - first + 1)
    ranked = (
        select(
            *_RECORD,
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
        select(*(ranked.c[name] for name in Record._fields)).where(kept).order_by(ranked.c.iteration),
    )


def cost_at(session: Session, job_id: str, iteration: int) -> float:
    """J of one iteration, whose row must be there."""
    return session.execute(select(Cost.cost).where(Cost.job_id == job_id, Cost.iteration == iteration)).scalar_one()


def _fetch(session: Session, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in session.execute(query)]
