"""What each version of a model has been asked through this process, and where the time went."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from cachetools import LRUCache

from backprop_client.wire.oip.server import Duration, InferenceDurations, ModelStatistics
from domain.access.projects import Project
from domain.inference.responses import Served

MOST_COUNTED = 10_000
"""Versions of models. Those that were asked least recently are forgotten; each takes about a kilobyte."""


class Stopwatch:
    """Nanoseconds of the steps of one request."""

    def __init__(self) -> None:
        self._began = self._lap = time.perf_counter_ns()

    def lap(self) -> int:
        """Since the last call, or since the beginning."""
        now = time.perf_counter_ns()
        taken, self._lap = now - self._lap, now
        return taken

    @property
    def total(self) -> int:
        """Since the beginning."""
        return time.perf_counter_ns() - self._began


class Times(NamedTuple):
    """Nanoseconds of an answered request.

    Attributes:
        queue: until it had its turn.
        compute_input: reading the body and its tensors.
        compute_infer: predicting.
        compute_output: writing the answer.
    """

    queue: int
    compute_input: int
    compute_infer: int
    compute_output: int


@dataclass
class _Sum:
    count: int = 0
    ns: int = 0

    def add(self, ns: int) -> None:
        self.count += 1
        self.ns += ns

    def told(self) -> Duration:
        return Duration(count=self.count, ns=self.ns)


@dataclass
class _Counts:
    last_inference: int = 0
    rows: int = 0
    success: _Sum = field(default_factory=_Sum)
    fail: _Sum = field(default_factory=_Sum)
    queue: _Sum = field(default_factory=_Sum)
    compute_input: _Sum = field(default_factory=_Sum)
    compute_infer: _Sum = field(default_factory=_Sum)
    compute_output: _Sum = field(default_factory=_Sum)

    def told(self, served: Served) -> ModelStatistics:
        return ModelStatistics(
            name=served.name,
            version=served.version,
            last_inference=self.last_inference,
            inference_count=self.rows,
            execution_count=self.success.count,
            inference_stats=InferenceDurations(
                success=self.success.told(),
                fail=self.fail.told(),
                queue=self.queue.told(),
                compute_input=self.compute_input.told(),
                compute_infer=self.compute_infer.told(),
                compute_output=self.compute_output.told(),
            ),
        )


class InferenceStatistics:
    """Counts requests. Threads share it."""

    def __init__(self) -> None:
        self._counts: LRUCache[tuple[Project, Served], _Counts] = LRUCache(MOST_COUNTED)
        self._lock = threading.Lock()

    def succeeded(self, project: Project, served: Served, rows: int, times: Times) -> None:
        """Count a request that has been answered."""
        with self._lock:
            counts = self._of(project, served)
            counts.last_inference = time.time_ns() // 1_000_000
            counts.rows += rows
            counts.success.add(sum(times))
            counts.queue.add(times.queue)
            counts.compute_input.add(times.compute_input)
            counts.compute_infer.add(times.compute_infer)
            counts.compute_output.add(times.compute_output)

    def failed(self, project: Project, served: Served, ns: int) -> None:
        """Count a request that has been refused after so many nanoseconds."""
        with self._lock:
            self._of(project, served).fail.add(ns)

    def of_model(self, project: Project, served: Served) -> ModelStatistics:
        """What one version has been asked; zeros if nothing."""
        with self._lock:
            return self._counts.get((project, served), _Counts()).told(served)

    def of_project(self, project: Project) -> list[ModelStatistics]:
        """What the project's models have been asked, those that have been asked anything."""
        with self._lock:
            return [counts.told(served) for (owner, served), counts in self._counts.items() if owner == project]

    def _of(self, project: Project, served: Served) -> _Counts:
        counts = self._counts.get((project, served))
        if counts is None:
            counts = self._counts[project, served] = _Counts()
        return counts
