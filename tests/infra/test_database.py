from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.database import Database
from infra.errors import Unavailable


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """Inside, no write goes beyond so many bytes of a file: like a full quota, it is refused and the disk has room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_the_disk_does_not_take_is_a_full_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    with database.writing() as session:
        session.execute(text("CREATE TABLE t (a BLOB)"))
    with longest_file(2**19), pytest.raises(Unavailable) as refused, database.writing() as session:
        session.execute(text("INSERT INTO t VALUES (zeroblob(1048576))"))
    assert refused.value.code == "storage_full"
    with database.writing() as session:
        session.execute(text("INSERT INTO t VALUES (zeroblob(1048576))"))
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM t")) == 1
    database.close()
