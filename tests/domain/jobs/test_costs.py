"""Cost rows: every one comes back, in order; a thinned curve keeps its ends and its extremes."""

from __future__ import annotations

import numpy as np
import pytest

from backprop.training import Record
from domain.jobs import costs
from infra.database import Database
from tests.support.jobs import queued_job


def recorded(database: Database, J: list[float]) -> str:
    job_id = queued_job(database)
    with database.writing() as session:
        costs.add(session, job_id, [Record(k, cost, cost * 0.75, cost * 0.25) for k, cost in enumerate(J)])
    return job_id


def test_rows_come_back_exactly_and_in_pages(database: Database) -> None:
    J = np.random.default_rng(0).standard_normal(2_500).tolist()
    job_id = recorded(database, J)
    rows: list[Record] = []
    has_more = True
    with database.reading() as session:
        while has_more:
            page, has_more = costs.list_rows(session, job_id, after=rows[-1].iteration if rows else -1, limit=1_000)
            rows += page
    assert [row.iteration for row in rows] == list(range(2_500))
    assert [row.cost for row in rows] == J
    assert [row.decay_cost for row in rows] == [cost * 0.25 for cost in J]


@pytest.mark.parametrize("held_out_every", [1, 2, 7, 1_499, 2_000])
@pytest.mark.parametrize("first_measured", [0, 1, 2_000], ids=["from the start", "from the second row", "never"])
def test_every_term_comes_back(database: Database, held_out_every: int, first_measured: int) -> None:
    rng = np.random.default_rng(1)
    records = []
    for k, (cost, data, decay, sparsity, held_out) in enumerate(rng.standard_normal((1_500, 5)).tolist()):
        is_measured = k >= first_measured and (k - first_measured) % held_out_every == 0
        records.append(Record(k, cost, data, decay, sparsity, held_out if is_measured else None, 2 * k + 1))
    job_id = queued_job(database)
    with database.writing() as session:
        costs.add(session, job_id, records)
    with database.reading() as session:
        assert costs.list_rows(session, job_id, after=-1, limit=2_000) == (records, False)
        assert costs.thin_rows(session, job_id, after=1_400, points=200) == records[1_401:]
        assert costs.cost_at(session, job_id, 1_499) == records[-1].cost


@pytest.mark.parametrize("points", [4, 5, 10, 101, 1_000])
def test_a_thinned_curve_keeps_ends_and_spikes(database: Database, points: int) -> None:
    J = np.exp(-np.arange(3_000) / 500)
    J[1_234], J[2_345] = 50.0, -50.0
    job_id = recorded(database, J.tolist())
    with database.reading() as session:
        rows = costs.thin_rows(session, job_id, after=-1, points=points)
    iterations = [row.iteration for row in rows]
    assert len(rows) <= points
    assert iterations == sorted(set(iterations))
    assert {0, 1_234, 2_345, 2_999} <= set(iterations)
    assert all(row.cost == J[row.iteration] for row in rows)


def test_a_short_curve_is_not_thinned(database: Database) -> None:
    job_id = recorded(database, [3.0, 2.0, 1.0])
    with database.reading() as session:
        assert [row.cost for row in costs.thin_rows(session, job_id, after=-1, points=4)] == [3.0, 2.0, 1.0]
        assert [row.cost for row in costs.thin_rows(session, job_id, after=0, points=4)] == [2.0, 1.0]


def test_a_job_without_rows_has_an_empty_curve(database: Database) -> None:
    job_id = queued_job(database)
    with database.reading() as session:
        assert costs.thin_rows(session, job_id, after=-1, points=10) == []
        assert costs.list_rows(session, job_id, after=-1, limit=10) == ([], False)
