"""Old curves that are thinned for good: what stays, what is still drawn of it, and that the job can go on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backprop.training import Record
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import attempts, checkpoints, cost_thinning, costs, rows, transitions
from domain.jobs.cost_extremes import BLOCK, LEVELS
from infra.database import Database
from infra.tables import CostExtremes
from tests.support.jobs import LEASE, queued_job

POINTS = 40

ON_BOTH = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some pieces to each curve."""
    monkeypatch.setattr(cost_thinning, "POINTS", POINTS)
    monkeypatch.setattr(cost_thinning, "PIECE", 256)


def drawn(left: list[Record], points: int, first: int, last: int, every: int) -> list[Record]:
    """The definition: of the rows that are left in a range, those that a curve of so many points has."""
    left = [row for row in left if first <= row.iteration <= last]
    if not left:
        return []
    first, last = left[0].iteration, left[-1].iteration
    if last - first < points:
        return left
    shows_held_out = every > 1 and points >= 5
    most = max(1, (points - 2) // (3 if shows_held_out else 2))
    stretch = 1
    while last // stretch - first // stretch >= most:
        stretch *= 2
    kept = {first, last}
    for number in range(first // stretch, last // stretch + 1):
        members = [row for row in left if row.iteration // stretch == number]
        if members:
            kept.add(min(members, key=lambda row: (row.cost, row.iteration)).iteration)
            kept.add(min(members, key=lambda row: (-row.cost, row.iteration)).iteration)
        if shows_held_out:
            begin = max(first, number * stretch)
            kept.add(-(-begin // every) * every)
    return [row for row in left if row.iteration in kept]


def ended_job(database: Database, J: list[float], checkpoint: int | None, every: int) -> str:
    """A job that was cancelled with these costs."""
    job_id = queued_job(database)
    with database.writing() as session:
        claim = attempts.claim(session, job_id, LEASE)
        assert claim is not None
        claim.job.spec = {"training": {"iterations": 10, "held_out_every": every}}
        costs.add(session, job_id, [Record(k, cost, cost, 0.0) for k, cost in enumerate(J)])
        if checkpoint is not None:
            for part in checkpoints.cut(checkpoint, b"state"):
                checkpoints.write(session, job_id, part)
        attempts.cancel(session, claim.owner)
    return job_id


def thin(database: Database, job_id: str) -> None:
    more = True
    while more:
        with database.writing() as session:
            more = cost_thinning.thin_some(session, rows.locked(session, DEFAULT_PROJECT, job_id))


def stored(database: Database, job_id: str) -> tuple[list[Record], int]:
    with database.reading() as session:
        found, _ = costs.list_rows(session, job_id, -1, 100_000)
        return found, rows.get(session, DEFAULT_PROJECT, job_id).thinned_before or 0


def go_on(database: Database, job_id: str, more: list[float]) -> int:
    """Resume the job, add so many costs, end it; tells from where on they are."""
    with database.writing() as session:
        transitions.take(session, rows.locked(session, DEFAULT_PROJECT, job_id), "resumed")
    with database.writing() as session:
        claim = attempts.claim(session, job_id, LEASE)
        assert claim is not None
        start = 0 if claim.checkpoint is None else claim.checkpoint + 1
        for begin in range(0, len(more), 100):
            batch = more[begin : begin + 100]
            costs.add(session, job_id, [Record(start + begin + k, J, J, 0.0) for k, J in enumerate(batch)])
        attempts.cancel(session, claim.owner)
    return start


@given(data=st.data())
@ON_BOTH
def test_what_stays_is_what_a_curve_shows_and_what_the_job_needs(database: Database, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    count = data.draw(st.integers(1, 2_000))
    every = data.draw(st.sampled_from([1, 2, 9, 64, 900]))
    checkpoint = data.draw(st.one_of(st.none(), st.integers(0, count - 1)))
    J = rng.choice([-1.0, 0.0, 0.5, 1e300], count) if data.draw(st.booleans()) else rng.normal(size=count)
    job_id = ended_job(database, J.tolist(), checkpoint, every)
    before, _ = stored(database, job_id)
    thin(database, job_id)
    left, thinned_before = stored(database, job_id)
    wanted = drawn(before, POINTS, 0, count - 1, every)
    needed = [] if checkpoint is None else list(range(checkpoint // BLOCK * BLOCK, checkpoint + 1))
    kept = {row.iteration for row in wanted} | (set(needed) if count > POINTS else set())
    assert left == [row for row in before if row.iteration in kept]
    assert thinned_before == (count if count > POINTS else 0)
    thin(database, job_id)
    assert stored(database, job_id) == (left, thinned_before)
    _compare_curves(database, job_id, left, thinned_before, rng)

    more = rng.normal(size=int(rng.integers(1, 600))).tolist()
    start = go_on(database, job_id, more)
    went_on, thinned_before = stored(database, job_id)
    new = [Record(start + k, cost, cost, 0.0) for k, cost in enumerate(more)]
    assert went_on == [row for row in left if row.iteration < start] + new
    assert thinned_before == min(start, count if count > POINTS else 0)
    _compare_curves(database, job_id, went_on, thinned_before, rng)
    thin(database, job_id)
    again, _ = stored(database, job_id)
    assert {row.iteration for row in again} <= {row.iteration for row in went_on}
    assert {again[0], again[-1]} == {went_on[0], went_on[-1]}
    assert {f(again, key=lambda row: row.cost).cost for f in (min, max)} == {
        f(went_on, key=lambda row: row.cost).cost for f in (min, max)
    }
    go_on(database, job_id, more)


def _compare_curves(
    database: Database, job_id: str, left: list[Record], thinned_before: int, rng: np.random.Generator
) -> None:
    last = left[-1].iteration
    for _ in range(4):
        after, before = sorted(rng.integers(-1, last + 2, 2).tolist())
        points, every = int(rng.integers(4, 100)), int(rng.choice([1, 2, 9, 64]))
        with database.reading() as session:
            found = costs.thin_rows(session, job_id, after, points, before, every, thinned_before)
        assert found == drawn(left, points, after + 1, before - 1, every)
        assert len(found) <= points


def test_a_curve_that_is_being_thinned_is_right_after_each_piece(database: Database) -> None:
    rng = np.random.default_rng(0)
    job_id = ended_job(database, rng.normal(size=2_000).tolist(), 1_999, 1)
    more, left = True, stored(database, job_id)[0]
    while more:
        with database.writing() as session:
            more = cost_thinning.thin_some(session, rows.locked(session, DEFAULT_PROJECT, job_id))
        left, thinned_before = stored(database, job_id)
        _compare_curves(database, job_id, left, thinned_before, rng)
    assert len(left) <= POINTS + BLOCK


def test_blocks_of_extremes_go_with_their_rows(database: Database) -> None:
    job_id = ended_job(database, np.random.default_rng(0).normal(size=10_000).tolist(), 9_999, 1)
    thin(database, job_id)
    with database.reading() as session:
        blocks = session.scalars(select(CostExtremes.level)).all()
    assert len(blocks) <= LEVELS
