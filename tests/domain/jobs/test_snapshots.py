"""Snapshots of the weights: at which iterations, how many, and that they never multiply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.jobs import removal, snapshots
from domain.jobs.snapshots import LARGEST_NETWORK, Snapshot, iterations_to_keep
from infra.database import Database
from infra.settings import Settings
from tests.support.jobs import claimed, queued_job, save_state
from tests.support.service import Service, csv_text


@given(iterations=st.integers(0, 10**9), most=st.integers(0, 200))
def test_there_are_never_too_many_and_the_end_is_among_them(iterations: int, most: int) -> None:
    kept = iterations_to_keep(iterations, most)
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    if most > 0:
        assert kept[-1] == iterations
    if most > 1:
        assert kept[0] == 0


def test_they_are_spaced_evenly_in_log_k() -> None:
    kept = [k for k in iterations_to_keep(10**6, 40) if k > 100]
    steps = np.diff(np.log(kept))
    assert steps.max() / steps.min() < 1.05


def body(service: Service, iterations: int = 50, units: int = 3) -> dict[str, Any]:
    dataset = service.upload_csv(csv_text(("x", "kind"), [(k, "ab"[k % 2]) for k in range(20)]))
    return {
        "dataset_id": dataset["id"],
        "targets": ["kind"],
        "network": {"layers": [{"units": units}, {}]},
        "training": {"preset": "tutorial", "iterations": iterations},
    }


def kept_of(service: Service, job_id: str) -> list[tuple[int, float]]:
    with service.database.reading() as session:
        return [(moment.iteration, moment.cost) for moment in snapshots.moments(session, job_id)]


def test_a_job_has_those_of_its_plan_with_the_costs_and_weights_of_their_iterations(service: Service) -> None:
    job = service.train(body(service))
    costs = {row["iteration"]: row["cost"] for row in service.costs(job["id"])}
    kept = kept_of(service, job["id"])
    assert [iteration for iteration, _ in kept] == iterations_to_keep(50, service.settings.max_snapshots)
    assert all(costs[iteration] == cost for iteration, cost in kept)


def test_a_job_that_is_resumed_has_one_of_each_iteration_and_never_too_many(service: Service) -> None:
    settings = service.settings.model_copy(update={"max_snapshots": 10})
    small = Service(service.api, service.database, service.artifacts, settings)
    job = small.train(body(small))
    for iterations in (60, 70, 2000):
        assert small.api.post(f"/v1/jobs/{job['id']}/resume", json={"iterations": iterations}).status_code == 202
        assert small.attempt(job["id"])["status"] == "succeeded"
        kept = [iteration for iteration, _ in kept_of(small, job["id"])]
        assert len(kept) <= 10
        assert (kept[0], kept[-1]) == (0, iterations)
        assert kept == sorted(set(kept))


@pytest.mark.parametrize(("most", "units"), [(0, 3), (40, LARGEST_NETWORK // 2)])
def test_there_are_none_of_large_networks_nor_where_the_setting_says_so(
    service: Service, most: int, units: int
) -> None:
    settings: Settings = service.settings.model_copy(update={"max_snapshots": most})
    job = Service(service.api, service.database, service.artifacts, settings).train(body(service, 2, units))
    assert job["status"] == "succeeded"
    assert kept_of(service, job["id"]) == []


def test_snapshots_change_no_bit_of_the_training(service: Service) -> None:
    settings = service.settings.model_copy(update={"max_snapshots": 0})
    request = body(service)
    without = Service(service.api, service.database, service.artifacts, settings).train(request)
    with_them = service.train(request)
    assert service.weight_bits(without["model_id"]) == service.weight_bits(with_them["model_id"])
    assert [row["cost"] for row in service.costs(without["id"])] == [
        row["cost"] for row in service.costs(with_them["id"])
    ]


def test_they_go_with_their_job(service: Service) -> None:
    job = service.train(body(service))
    assert kept_of(service, job["id"])
    assert service.api.delete(f"/v1/jobs/{job['id']}").status_code == 204
    more = True
    while more:
        with service.database.writing() as session:
            more = removal.remove_some(session, job["id"])
    assert kept_of(service, job["id"]) == []


def test_an_attempt_that_goes_on_takes_back_those_past_its_checkpoint(database: Database) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        save_state(session, job_id, 5)
        for iteration in (0, 5, 6, 8):
            snapshots.write(session, job_id, Snapshot(iteration, 1.0, "{}", b""), 10)
    claimed(database, job_id)
    with database.reading() as session:
        assert [moment.iteration for moment in snapshots.moments(session, job_id)] == [0, 5]


def test_writing_one_again_changes_nothing_and_the_one_closest_to_others_makes_room(database: Database) -> None:
    job_id = queued_job(database)
    with database.writing() as session:
        for iteration in (0, 1, 10, 11, 11, 100):
            snapshots.write(session, job_id, Snapshot(iteration, float(iteration), "{}", b""), 4)
        assert [tuple(moment) for moment in snapshots.moments(session, job_id)] in (
            [(0, 0.0), (1, 1.0), (11, 11.0), (100, 100.0)],
            [(0, 0.0), (10, 10.0), (11, 11.0), (100, 100.0)],
        )
