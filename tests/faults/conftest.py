"""Real workers with short intervals, so that little waiting is enough for faults to be noticed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.processes import stop
from infra.settings import Settings
from tests.conftest import start_worker
from tests.support.faults import StartWorker

SHORT = {"lease_seconds": 1.0, "reconcile_seconds": 0.3, "checkpoint_seconds": 0.3, "flush_seconds": 0.1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, one has all of these: they start more processes than others do."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Short intervals."""
    return settings.model_copy(update=SHORT)


@pytest.fixture
def new_worker(settings: Settings) -> Iterator[StartWorker]:
    """Starts worker processes, with other settings than the service's where given; stopped at the end."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(**changes: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401
        processes.append(start_worker(settings.model_copy(update=changes)))
        return processes[-1]

    yield start
    for process in processes:
        stop(process)
