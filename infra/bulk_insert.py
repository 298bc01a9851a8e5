"""Inserts many rows of a job at once. Tens of thousands may come in a second, so C does most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy.orm import Session

_ROWS_A_STATEMENT = 1_000


def insert(session: Session, table: str, job_id: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows of one job: a thousand rows a statement on SQLite, a binary COPY on PostgreSQL.

    Args:
        session: of a writing transaction.
        table: name of a table with a column ``job_id``.
        job_id: of all the rows.
        columns: values of the other columns, of equal length, at least one: integers or floats, any of them None.
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
    length −1. Where a column has values in some rows only, all rows are laid out with a place for the value at first,
    and the places of nulls are cut out.
    """
    key = job_id.encode()
    layout: list[tuple[str, str]] = [("fields", ">i2"), ("job_id_length", ">i4"), ("job_id", f"S{len(key)}")]
    kinds = {name: _kind(values) for name, values in columns.items()}
    for name, kind in kinds.items():
        layout.append((f"{name}_length", ">i4"))
        if kind is not None:
            layout.append((name, kind))
    rows = np.empty(len(next(iter(columns.values()))), layout)
    rows["fields"] = 1 + len(columns)
    rows["job_id_length"], rows["job_id"] = len(key), key
    nulls: dict[str, NDArray[np.bool_]] = {}
    for name, values in columns.items():
        rows[f"{name}_length"] = -1
        if kinds[name] is None:
            continue
        present: NDArray[np.bool_] | slice = slice(None)
        if None in values:
            nulls[name] = np.array([value is None for value in values])
            present = ~nulls[name]
        rows[f"{name}_length"][present] = rows.dtype[name].itemsize
        rows[name][present] = [value for value in values if value is not None]
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + _without(nulls, rows) + b"\xff\xff"


def _kind(values: Sequence[Any]) -> str | None:
    """The type in which the values travel; None if all of them are null."""
    first = next((value for value in values if value is not None), None)
    return None if first is None else ">i8" if isinstance(first, int) else ">f8"


def _without(nulls: Mapping[str, NDArray[np.bool_]], rows: NDArray[Any]) -> bytes:
    """The bytes of the rows but for the places of nulls."""
    if not nulls:
        return rows.tobytes()
    kept = np.ones(len(rows), [(name, np.bool_, (rows.dtype[name].itemsize,)) for name in rows.dtype.names or ()])
    for name, null in nulls.items():
        kept[name][null] = False
    return rows.view(np.uint8)[kept.view(np.bool_)].tobytes()
