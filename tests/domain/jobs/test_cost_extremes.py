"""Thinned curves against the definition, whatever batches the rows came in and whatever was taken back in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select

from backprop.training import Record
from domain.jobs import costs
from domain.jobs.cost_extremes import BLOCK
from infra.database import Database
from infra.tables import CostExtremes
from tests.support.jobs import queued_job

ON_BOTH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def record(k: int, J: float) -> Record:
    return Record(k, J, J, 0.0)


def by_definition(rows: list[Record], points: int, held_out_every: int = 1) -> list[Record]:
    """The rows that a thinned curve must have, found by looking at all of them."""
    if len(rows) <= points:
        return rows
    shows_held_out = held_out_every > 1 and points >= 5
    most = max(1, (points - 2) // (3 if shows_held_out else 2))
    stretch = 1
    while len({row.iteration // stretch for row in rows}) > most:
        stretch *= 2
    kept = {rows[0].iteration, rows[-1].iteration}
    for number in {row.iteration // stretch for row in rows}:
        members = [row for row in rows if row.iteration // stretch == number]
        kept.add(min(members, key=lambda row: (row.cost, row.iteration)).iteration)
        kept.add(min(members, key=lambda row: (-row.cost, row.iteration)).iteration)
        measured = [row.iteration for row in members if row.iteration % held_out_every == 0]
        if shows_held_out and measured:
            kept.add(min(measured))
    return [row for row in rows if row.iteration in kept]


def add_in_batches(database: Database, job_id: str, rows: list[Record], sizes: Iterator[int]) -> None:
    start = 0
    while start < len(rows):
        stop = start + next(sizes)
        with database.writing() as session:
            costs.add(session, job_id, rows[start:stop])
        start = stop


@given(data=st.data())
@ON_BOTH
def test_a_thinned_curve_is_what_its_definition_says(database: Database, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    count = data.draw(st.integers(1, 3_000))
    # Few different values, so that there are equal ones; or many, of either sign and any size.
    J = rng.choice([-1.0, 0.0, 0.5, 1e300, -1e300], count) if data.draw(st.booleans()) else rng.normal(size=count)
    rows = [record(k, cost) for k, cost in enumerate(J.tolist())]
    job_id = queued_job(database)
    largest = data.draw(st.sampled_from([1, 7, 40, 700]))
    if count > 300:
        largest = max(largest, 40)  # a transaction a row takes its time
    sizes = iter(lambda: int(rng.integers(1, largest + 1)), None)
    cut = data.draw(st.integers(0, count))
    add_in_batches(database, job_id, [record(k, 9e9) for k in range(count)][: cut + int(rng.integers(0, 200))], sizes)
    with database.writing() as session:
        costs.remove_from(session, job_id, 0 if data.draw(st.booleans()) else cut)
    with database.reading() as session:
        kept, _ = costs.list_rows(session, job_id, -1, 10_000)
    add_in_batches(database, job_id, rows[len(kept) :], sizes)
    rows[: len(kept)] = kept
    for _ in range(4):
        after, before = sorted(rng.integers(-1, count + 2, 2).tolist())
        points, every = int(rng.integers(4, 300)), int(rng.choice([1, 2, 9, 64, 900]))
        wanted = [row for row in rows if after < row.iteration < before]
        with database.reading() as session:
            found = costs.thin_rows(session, job_id, after, points, before, every)
            assert costs.list_rows(session, job_id, after, 10_000, before) == (wanted, False)
        assert found == by_definition(wanted, points, every)
        assert len(found) <= points


def stored_blocks(database: Database, job_id: str) -> list[tuple[Any, ...]]:
    columns = [column for column in CostExtremes.__table__.columns if column.name != "job_id"]
    with database.reading() as session:
        query = select(*columns).where(CostExtremes.job_id == job_id)
        return [tuple(row) for row in session.execute(query.order_by(CostExtremes.level, CostExtremes.block))]


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 33, 500, 639, 640, 700])
def test_rows_that_are_taken_back_and_come_again_leave_the_same_blocks(database: Database, cut: int) -> None:
    rows = [record(k, J) for k, J in enumerate(np.random.default_rng(3).normal(size=700).tolist())]
    undisturbed, disturbed = queued_job(database), queued_job(database)
    with database.writing() as session:
        costs.add(session, undisturbed, rows)
        costs.add(session, disturbed, rows)
    with database.writing() as session:
        costs.remove_from(session, disturbed, cut)
    assert all((block + 1) * (BLOCK << level) <= cut for level, block, *_ in stored_blocks(database, disturbed))
    with database.writing() as session:
        costs.add(session, disturbed, rows[cut:])
    blocks = stored_blocks(database, undisturbed)
    assert stored_blocks(database, disturbed) == blocks
    assert len(blocks) == 21 + 10 + 5 + 2 + 1


@contextmanager
def counted_rows(database: Database) -> Iterator[list[int]]:
    """How many rows each query inside has brought."""
    counts: list[int] = []

    def count(connection: Connection, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            again: Any = connection.connection.driver_connection
            counts.append(again.execute(f"SELECT COUNT(*) FROM ({statement}) AS q", parameters).fetchone()[0])

    event.listen(database.engine, "after_cursor_execute", count)
    try:
        yield counts
    finally:
        event.remove(database.engine, "after_cursor_execute", count)


@pytest.mark.parametrize("count", [20_000, 200_000])
def test_thinning_reads_what_it_returns_and_not_what_the_job_has(database: Database, count: int) -> None:
    job_id = queued_job(database)
    J = np.random.default_rng(3).normal(size=count).tolist()
    with database.writing() as session:
        costs.add(session, job_id, [record(k, cost) for k, cost in enumerate(J)])
    for after, before in ((-1, None), (17, count - 13), (count // 2, count // 2 + 3_100)):
        with database.reading() as session, counted_rows(database) as counts:
            found = costs.thin_rows(session, job_id, after, 202, before)
        assert len(found) > 100
        assert len(counts) == 3  # the newest iteration, the extremes, the rows
        assert sum(counts) < 202 + 100 * BLOCK  # stretches as short as a block are read row by row
