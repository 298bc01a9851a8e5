"""The connection to SQLite or PostgreSQL, and the two ways to use it: reading and writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from infra.bell import Bell, Change
from infra.errors import Unavailable

SQLITE_BUSY_SECONDS = 30
"""Seconds. A writer waits so long for another writer of the same SQLite file before it gives up."""

POSTGRES_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""Seconds, and for the last milliseconds. A server that has fallen silent is given up after so long; without them it
never is. What the URL says goes before."""

KEPT_CONNECTIONS = 5
"""Connections. So many stay open when nobody uses them."""

MOST_CONNECTIONS = 45
"""Connections of one process. It answers requests in 40 threads, and none of these is to wait for one."""

_BEGIN = "sqlite_begin"

_CHANGES = "changes"
"""A session's `info` holds under this name what its transaction has changed."""

_SQLITE_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
"""The codes of a full disk, and of any other reason for which a write is not taken. A full quota is the usual one."""


class Database:
    """Opens sessions. A process makes its own after a fork; connections are never carried across one."""

    def __init__(self, url: str, most_connections: int = MOST_CONNECTIONS, bell: Bell | None = None) -> None:
        """Open nothing yet.

        Args:
            url: SQLAlchemy's, of SQLite or PostgreSQL.
            most_connections: how many there are at a time; who needs one more waits.
            bell: rings after each commit of what `changed` was told of; None: nobody is told.
        """
        self._bell = bell
        self.engine = _create_engine(url, most_connections)
        self._writing_engine = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one consistent snapshot, rolled back at the end.

        Raises:
            Unavailable: the database cannot be reached (code ``database_unavailable``), or its disk is full
                (``storage_full``).
        """
        with _unavailable_when_unreachable(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits when the block ends without an exception, and rolls back otherwise.

        On SQLite the write lock is taken at once: a transaction that reads first and is upgraded later fails
        immediately when another writer came between, whatever the busy timeout.

        Raises:
            Unavailable: the database cannot be reached (code ``database_unavailable``), or its disk is full
                (``storage_full``).
        """
        with (
            _unavailable_when_unreachable(),
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        if self._bell is not None and (changes := session.info.get(_CHANGES)):
            self._bell.ring(changes)

    def ping(self) -> None:
        """One round trip.

        Raises:
            Unavailable: the database cannot be reached.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        if self._bell is not None:
            self._bell.close()


def changed(session: Session, job_id: str, project: str | None = None) -> None:
    """Have the bell ring for a job when this transaction has been committed.

    Args:
        session: of the transaction.
        job_id: the job.
        project: whose job it is, if it has taken a step of its life.
    """
    session.info.setdefault(_CHANGES, []).append(Change(job_id, project))


def transaction_time(session: Session) -> Any:  # noqa: ANN401  # a value, or an expression of SQL
    """When it is now, by the one clock that all who use the database share.

    PostgreSQL's own, as an expression, and the same throughout a transaction. SQLite is used by one host only: its
    clock.
    """
    return datetime.now(UTC) if session.get_bind().dialect.name == "sqlite" else func.now()


def clock(session: Session) -> datetime:
    """What that clock shows right now."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def lease_end(session: Session, seconds: float) -> Any:  # noqa: ANN401  # a value, or an expression of SQL
    """When a lease of so many seconds ends that is given now, however long this transaction has been under way."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC) + timedelta(seconds=seconds)
    return func.clock_timestamp() + timedelta(seconds=seconds)


@contextmanager
def _unavailable_when_unreachable() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, psycopg.OperationalError, NoConnectionFree) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if _is_full(cause):
            raise Unavailable("storage_full", "The disk that holds the database is full.") from error
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if not lost and not isinstance(error, OperationalError | psycopg.OperationalError | NoConnectionFree):
            raise
        raise Unavailable(
            "database_unavailable", "The database cannot be reached right now; try again later."
        ) from error


def _is_full(cause: BaseException | None) -> bool:
    sqlite_full = getattr(cause, "sqlite_errorcode", None) in _SQLITE_FULL
    return sqlite_full or isinstance(cause, psycopg.errors.DiskFull)


def _create_engine(url: str, most_connections: int) -> Engine:
    kept = min(KEPT_CONNECTIONS, most_connections)
    pool = {"pool_size": kept, "max_overflow": most_connections - kept}
    if not url.startswith("sqlite"):
        said = make_url(url).query
        silence = {name: value for name, value in POSTGRES_CONNECTION.items() if name not in said}
        return create_engine(url, pool_pre_ping=True, connect_args=silence, **pool)
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS}, **pool)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin_sqlite` does
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
