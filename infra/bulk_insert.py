"""Inserts many rows of a job at once. Tens of thousands may come in a second, so C does most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from sqlalchemy.orm import Session

_ROWS_A_STATEMENT = 1_000


def insert(session: Session, table: str, job_id: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows of one job: a thousand rows a statement on SQLite, a binary COPY on PostgreSQL.

    Args:
        session: of a writing transaction.
        table: name of a table with a column ``job_id``.
        job_id: of all the rows.
        columns: values of the other columns, of equal length, at least one: integers, floats, or None throughout.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = list(zip(*columns.values(), strict=True))
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            some = rows[start : start + _ROWS_A_STATEMENT]
            statement = _insert_of(table, tuple(columns), len(some))
            connection.exec_driver_sql(statement, (job_id, *chain.from_iterable(some)))
    else:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101  # the only other database there is
        names = ", ".join(("job_id", *columns))
        with driver.cursor().copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.write(_copy_data(job_id, columns))


@lru_cache(maxsize=16)
def _insert_of(table: str, names: tuple[str, ...], rows: int) -> str:
    """One INSERT of that many rows; parameter 1 is the job's id, then come the rows' own."""
    width = len(names)
    places = (
        ", ".join(f"?{number}" for number in range(2 + row * width, 2 + (row + 1) * width)) for row in range(rows)
    )
    return f"INSERT INTO {table} (job_id, {', '.join(names)}) VALUES (?1, {'), (?1, '.join(places)})"  # noqa: S608  # no input in it


def _copy_data(job_id: str, columns: Mapping[str, Sequence[Any]]) -> bytes:
    """What COPY … (FORMAT BINARY) reads: a header, the rows, a trailer.

    A row is the number of its fields (int16), and for each field its length in bytes (int32) and its value, all
    big-endian: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". A null has no bytes and the
    length −1.
    """
    key = job_id.encode()
    layout: list[tuple[str, str]] = [("fields", ">i2"), ("job_id_length", ">i4"), ("job_id", f"S{len(key)}")]
    for name, values in columns.items():
        layout.append((f"{name}_length", ">i4"))
        if values[0] is not None:
            layout.append((name, ">i8" if isinstance(values[0], int) else ">f8"))
    rows = np.empty(len(next(iter(columns.values()))), layout)
    rows["fields"] = 1 + len(columns)
    rows["job_id_length"], rows["job_id"] = len(key), key
    for name, values in columns.items():
        if values[0] is None:
            rows[f"{name}_length"] = -1
        else:
            rows[f"{name}_length"] = rows.dtype[name].itemsize
            rows[name] = values
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
