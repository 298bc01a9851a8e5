from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.access.projects import Project
from domain.inference import statistics as statistics_module
from domain.inference.responses import Served
from domain.inference.statistics import InferenceStatistics, Times

OURS, THEIRS = Project("ours"), Project("theirs")
DIGITS = Served("digits", "3")


def test_requests_of_many_threads_are_all_counted() -> None:
    statistics = InferenceStatistics()

    def ask(number: int) -> None:
        if number % 4 == 0:
            statistics.failed(OURS, DIGITS, 7)
        else:
            statistics.succeeded(OURS, DIGITS, 5, Times(1, 2, 3, 4))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(4000)))
    told = statistics.of_model(OURS, DIGITS)
    assert (told.name, told.version, told.inference_count, told.execution_count) == ("digits", "3", 15_000, 3000)
    assert told.last_inference > 1_700_000_000_000
    durations = {
        name: (duration["count"], duration["ns"]) for name, duration in told.inference_stats.model_dump().items()
    }
    assert durations == {
        "success": (3000, 30_000),
        "fail": (1000, 7000),
        "queue": (3000, 3000),
        "compute_input": (3000, 6000),
        "compute_infer": (3000, 9000),
        "compute_output": (3000, 12_000),
    }


def test_projects_and_versions_are_counted_apart() -> None:
    statistics = InferenceStatistics()
    statistics.succeeded(OURS, DIGITS, 1, Times(0, 0, 0, 0))
    statistics.succeeded(OURS, Served("digits", "4"), 2, Times(0, 0, 0, 0))
    assert sorted((each.version, each.inference_count) for each in statistics.of_project(OURS)) == [("3", 1), ("4", 2)]
    assert statistics.of_project(THEIRS) == []
    assert statistics.of_model(THEIRS, DIGITS).inference_count == 0


def test_those_asked_least_recently_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_module, "MOST_COUNTED", 10)
    statistics = InferenceStatistics()
    for number in range(1000):
        statistics.succeeded(OURS, DIGITS, 1, Times(0, 0, 0, 0))
        statistics.failed(OURS, Served(f"m{number}", "1"), 1)
    assert len(statistics.of_project(OURS)) == 10
    assert statistics.of_model(OURS, DIGITS).inference_count == 1000
