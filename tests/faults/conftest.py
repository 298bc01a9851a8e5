"""Real workers with short intervals, so that little waiting is enough for faults to be noticed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from infra.processes import stop
from infra.settings import Settings
from tests.conftest import start_worker
from tests.support.faults import StartWorker

SHORT = {"lease_seconds": 1.0, "reconcile_seconds": 0.3, "checkpoint_seconds": 0.3, "flush_seconds": 0.1}


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
