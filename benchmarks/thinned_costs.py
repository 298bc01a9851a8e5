"""How long a thinned curve takes to read, whatever the job's length; and what a row takes on the disk.

python -m benchmarks.thinned_costs [--rows 10000000]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import text

from backprop.training import Record
from domain.jobs import costs
from infra.database import Database
from migrations.commands import upgrade
from tests.support.jobs import queued_job
from tests.support.postgres import running_postgres

POINTS = 500
ROWS_A_BATCH = 5_000
REPEATS = 15


def main() -> None:
    """Print a table for each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with TemporaryDirectory() as folder:
        path = Path(folder) / "costs.db"
        measure("SQLite", f"sqlite:///{path}", rows)
        print(f"  on the disk: {sum(each.stat().st_size for each in path.parent.iterdir()) / rows:.0f} bytes a row")
    with running_postgres() as server:
        measure("PostgreSQL", server.url, rows)
        with opened(server.url) as database, database.reading() as session:
            for table in ("costs", "cost_extremes"):
                size = session.scalar(text(f"SELECT pg_total_relation_size('{table}')"))  # two names
                print(f"  {table} on the disk: {(size or 0) / rows:.1f} bytes a row")


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database, closed at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def measure(name: str, url: str, rows: int) -> None:
    """Record a job of so many rows, then read thinned parts of it."""
    upgrade(url)
    with opened(url) as database:
        job_id = queued_job(database)
        began = time.perf_counter()
        record(database, job_id, rows)
        print(f"{name}: {rows:,} rows recorded, {rows / (time.perf_counter() - began):,.0f} a second")
        for what, after, before in (
            ("all", -1, None),
            ("from 12,345 to the last but 54,321", 12_345, rows - 54_321),
            ("a tenth in the middle", rows // 2, rows // 2 + rows // 10),
            ("16,000 in the middle", rows // 2, rows // 2 + 16_000),
        ):
            seconds = []
            for _ in range(REPEATS):
                began = time.perf_counter()
                with database.reading() as session:
                    found = costs.thin_rows(session, job_id, after, POINTS, before)
                seconds.append(time.perf_counter() - began)
            print(
                f"  {what}: {len(found)} points in {median(seconds) * 1000:.1f} ms, at most {max(seconds) * 1000:.1f}"
            )


def record(database: Database, job_id: str, rows: int) -> None:
    """Rows as a training gives them: falling, with noise."""
    rng = np.random.default_rng(0)
    for start in range(0, rows, ROWS_A_BATCH):
        steps = range(start, min(start + ROWS_A_BATCH, rows))
        J = (np.exp(-np.array(steps) / rows) + rng.normal(scale=0.01, size=len(steps))).tolist()
        with database.writing() as session:
            costs.add(session, job_id, [Record(k, cost, cost, 0.0) for k, cost in zip(steps, J, strict=True)])


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors")
    main()
