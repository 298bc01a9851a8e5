"""What is said of a curve, against what somebody finds who looks at all of it, and how little is read for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.training import Record
from domain.jobs import attempts, costs
from domain.jobs.notes import (
    LEAST_WINDOWS,
    MOST_OF_A_WINDOW,
    POINTS,
    RISE,
    STILL,
    VISIBLE_RISE,
    WINDOWS,
    no_better_than_trivial,
    risen_since,
    still_since,
)
from infra.database import Database
from infra.tables import Job
from tests.support.jobs import claimed, crash, queued_job

CURVES = st.lists(st.floats(0.0, 10.0) | st.sampled_from((1.0, 1.0005, 1.002)), min_size=1, max_size=12)


@given(curve=CURVES, stride=st.integers(1, 5))
def test_a_curve_stands_still_from_the_first_iteration_on_from_which_it_changes_little(
    curve: list[float], stride: int
) -> None:
    limit = STILL * abs(curve[-1])
    ranges = [max(curve[k:]) - min(curve[k:]) for k in range(len(curve))]
    since = next(k for k, change in enumerate(ranges) if change <= limit)
    at = np.arange(len(curve)) * stride
    assert still_since(at, np.array(curve), STILL) == (since * stride, ranges[since])


@given(curve=CURVES)
def test_a_held_out_cost_has_risen_if_the_last_quarter_since_its_lowest_is_far_above_it(curve: list[float]) -> None:
    lowest = curve.index(min(curve))
    since = curve[lowest + 1 :]
    limit = max(RISE * curve[lowest], VISIBLE_RISE * (curve[0] - curve[lowest]))
    has_risen = len(since) >= LEAST_WINDOWS and min(since[-(len(since) // 4) :]) - curve[lowest] > limit
    found = risen_since(np.arange(len(curve)), np.array(curve))
    assert found == ((lowest, curve[lowest], curve[-1]) if has_risen else None)


def test_numbers_at_the_edge_of_what_there_is_warn_nobody() -> None:
    curve = np.array([1e308, -1e308, 1e308, 1e308, 1e308, 1e308])
    still_since(np.arange(6), curve, STILL)
    risen_since(np.arange(6), curve)


def job_with(database: Database, records: list[Record], rows: int = 100, **training: object) -> str:
    """A running job that has recorded so much; gives its id."""
    job_id = queued_job(database)
    with database.writing() as session:
        job = session.get_one(Job, job_id)
        holdout = 0.2 if any(record.held_out_cost is not None for record in records) else 0.0
        job.spec = {"holdout": holdout, "training": {"optimizer": "gradient_descent", **training}}
        job.row_counts = {"training": rows}
    claimed(database, job_id)
    with database.writing() as session:
        costs.add(session, job_id, records)
    return job_id


def notes(database: Database, job_id: str) -> dict[str, str]:
    with database.reading() as session:
        return {note["code"]: note["message"] for note in session.get_one(Job, job_id).notes}


def ended(database: Database, records: list[Record], rows: int = 100, **training: object) -> dict[str, str]:
    """What is said of such a job once it is cancelled."""
    job_id = job_with(database, records, rows, **training)
    with database.writing() as session:
        job = session.get_one(Job, job_id)
        job.cancel_requested = True
    crash(database, job_id)
    return notes(database, job_id)


def of(J: Any, held_out: Any = None, every: int = 1) -> list[Record]:  # noqa: ANN401
    """Records with these costs; held-out costs at the multiples."""
    return [
        Record(
            k,
            cost,
            cost,
            0.0,
            held_out_cost=None if held_out is None or k % every else held_out[k // every],
            evaluations=k + 1,
        )
        for k, cost in enumerate(np.asarray(J, float).tolist())
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestCurves:
    def test_of_a_falling_one_nothing_is_said(self, database: Database) -> None:
        falling = np.exp(-np.arange(3_000) / 700)
        assert ended(database, of(falling)) == {}
        assert ended(database, of(falling, (falling[::50] + 0.1).tolist(), every=50)) == {}

    def test_one_that_is_never_below_its_start(self, database: Database) -> None:
        assert "from" not in ended(database, of([1.0, 2.0, 1.5])).get("cost_did_not_fall", "from")
        assert ended(database, of([1.0, 2.0, 0.999])) == {}
        assert ended(database, of([1.0])) == {}
        assert ended(database, of([0.0, 0.0])) == {}

    def test_one_that_stands_still(self, database: Database) -> None:
        J = np.concatenate([np.linspace(2, 1, 300), np.full(2_000, 1.0) - np.arange(2_000) * 1e-8])
        message = ended(database, of(J))["cost_stood_still"]
        since = int(message.split("iteration ")[1].split(":")[0])
        assert abs(since - 300) <= 8  # found to a stretch of the thinned curve
        assert "iteration 2299" in message
        assert "learning rate" in message
        assert "learning rate" not in ended(database, of(J), optimizer="lbfgs")["cost_stood_still"]
        assert ended(database, of(J[:550])) == {}

    def test_one_of_mini_batches_is_judged_by_means_over_epochs(self, database: Database) -> None:
        noise = np.random.default_rng(0).normal(size=2_000).reshape(-1, 10)
        noise = (noise - noise.mean(axis=1, keepdims=True)).ravel()  # an epoch has all examples in it
        still = ended(database, of(5 + noise - np.arange(2_000) * 1e-8), rows=95, batch_size=10)
        assert set(still) == {"cost_stood_still"}
        falling = ended(database, of(5 + noise + 2 * np.exp(-np.arange(2_000) / 700)), rows=95, batch_size=10)
        assert falling == {}
        rising = ended(database, of(5 + noise + np.arange(2_000) / 500), rows=95, batch_size=10)
        assert set(rising) == {"cost_did_not_fall"}
        assert ended(database, of((5 + noise)[:30]), rows=95, batch_size=10) == {}  # three epochs show no course

    @pytest.mark.parametrize("every", [1, 7, 50])
    def test_a_held_out_cost_that_rises(self, database: Database, every: int) -> None:
        J = np.exp(-np.arange(3_000) / 700)
        measured = (np.arange(0, 3_000, every) / 1_000 - 1) ** 2 + 0.5
        message = ended(database, of(J, measured.tolist(), every), held_out_every=every)["held_out_cost_rose"]
        since = int(message.split("iteration ")[1].split(",")[0])
        assert abs(since - 1_000) <= max(every, 3)
        assert ended(database, of(J, measured.tolist(), every), held_out_every=every, patience=5_000) == {}

    def test_held_out_costs_that_are_no_numbers_are_not_looked_at(self, database: Database) -> None:
        J = np.exp(-np.arange(200) / 70)
        assert ended(database, of(J, [math.inf] * 200)) == {}
        assert ended(database, of(J, [2.0] * 100 + [math.inf] * 100)) == {}


def test_a_job_that_ends_before_it_has_begun_has_no_notes(database: Database) -> None:
    job_id = queued_job(database)
    claim = claimed(database, job_id)
    with database.writing() as session:
        attempts.fail(session, claim.owner, "cannot_be_scaled", "No.")
    assert notes(database, job_id) == {}


@pytest.mark.parametrize("training", [{}, {"batch_size": 10}], ids=["all examples", "mini-batches"])
def test_little_is_read_however_long_the_job_is(database: Database, training: dict[str, Any]) -> None:
    length = 60_000
    J = np.exp(-np.arange(length) / 20_000)
    job_id = job_with(database, of(J, (J + 0.1).tolist()), rows=5_000, **training)
    fetched: list[Record] = []

    def counted(*values: Any) -> Record:  # noqa: ANN401
        fetched.append(Record(*values))
        return fetched[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "Record", counted)
        crash(database, job_id, max_crashes=1)
    assert notes(database, job_id) == {}
    assert 0 < len(fetched) <= 2 * POINTS + WINDOWS * MOST_OF_A_WINDOW


def confusion(*counts: list[int]) -> dict[str, Any]:
    matrix = np.array(counts)
    return {
        "rows": int(matrix.sum()),
        "accuracy": float(np.trace(matrix) / matrix.sum()),
        "confusion_matrix": {"classes": list("abcdefg")[: len(matrix)], "counts": matrix.tolist()},
    }


USEFUL, USELESS = confusion([50, 10], [10, 30]), confusion([60, 0], [40, 0])


@pytest.mark.parametrize(
    ("training", "held_out", "is_trivial"),
    [
        (USEFUL, None, False),
        (USELESS, None, True),
        (USELESS, USEFUL, False),
        (USEFUL, USELESS, True),
        (USEFUL, confusion([10, 0], [5, 0]), False),  # so few rows may be chance
        (USELESS, confusion([10, 0], [5, 0]), True),
        (USEFUL, confusion([80, 0], [0, 0]), False),  # there is nothing to be better than
        (USEFUL, confusion([950, 40], [2, 8]), False),  # it finds the rare ones
        (USEFUL, confusion([20, 20, 20], [20, 20, 20], [19, 21, 20]), True),
        ({"rows": 50, "accuracy": 0.2, "confusion_matrix": None}, None, False),  # with very many classes
        ({"rows": 50, "rmse": {"y": 1.0, "z": 1.0}, "r2": {"y": 0.4, "z": -0.2}}, None, True),
        ({"rows": 50, "rmse": {"y": 1.0}, "r2": {"y": None}}, None, False),
        ({"rows": 50, "rmse": {"y": 1.0}, "r2": {"y": 1e-6}}, None, True),
        ({"rows": 50, "r2": {"y": 0.0, "z": 0.5}, "accuracy": {}}, None, False),  # a reconstruction
        ({"rows": 50, "r2": {"y": 0.0, "z": -0.5}, "accuracy": {"c": 0.5}}, None, True),
        ({"rows": 50, "r2": {}, "accuracy": {"c": 0.5}}, None, False),
    ],
)
def test_a_model_is_compared_with_the_most_frequent_class_and_the_mean(
    training: dict[str, Any], held_out: dict[str, Any] | None, is_trivial: bool
) -> None:
    note = no_better_than_trivial({"training": training, "held_out": held_out})
    assert (note is not None) == is_trivial
    if note is not None:
        assert ("held-out rows" in note.message) == (held_out is not None)
