"""What a person sees of a training that is followed."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_client.progress.curve import MOST_POINTS, Curve
from backprop_client.progress.displays import Bar, Display, Lines, Notebook, Nothing, display_for
from backprop_client.progress.html import job_card
from backprop_client.progress.watched import Watched
from backprop_client.progress.words import duration, line
from backprop_client.wire.jobs import JobNote, JobOut
from backprop_client.wire.resolved_jobs import Candidate, Selection
from backprop_client.wire.specs import LayerSpec, NetworkSpec, TrainingSpec


def job(**changed: Any) -> JobOut:  # noqa: ANN401
    """A job that is running."""
    known: dict[str, Any] = dict.fromkeys(JobOut.model_fields)
    known |= {"id": "job_1", "status": "running", "iterations": 1_000, "attempt": 1, "cancel_requested": False}
    known |= {"notes": [], "dataset_id": "ds_1", "sizes": (2, 1), "task": "regression", "inputs": (), "targets": ()}
    known |= {"tags": (), "scaling": "standardize", "missing": "impute", "left_out": (), "holdout": 0.0}
    known |= {"network": NetworkSpec(layers=(LayerSpec(),)), "training": TrainingSpec()}
    known |= {"created_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return JobOut(**{**known, **changed})


class Clock:
    """A clock that goes when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@given(steps=st.lists(st.integers(1, 5), min_size=1, max_size=5_000), begin=st.integers(0, 10))
def test_a_curve_keeps_its_ends_and_a_bounded_number_of_points(steps: list[int], begin: int) -> None:
    curve, iteration, costs = Curve(), begin, {}
    for step in steps:
        costs[iteration] = 1 / (1 + iteration)
        curve.add(iteration, costs[iteration])
        iteration += step
    points = curve.points
    iterations = [each for each, _ in points]
    assert dict(points).items() <= costs.items()
    assert iterations == sorted(set(iterations))
    assert iterations[0] == min(costs)
    assert iterations[-1] == max(costs)
    assert len(points) <= 2 * MOST_POINTS + 1
    if len(costs) > 2 * MOST_POINTS:  # evenly: no gap is many times the mean
        gaps = [after - before for before, after in pairwise(iterations)]
        assert max(gaps) <= 8 * (iterations[-1] - iterations[0]) / len(gaps)


def test_what_is_told() -> None:
    clock = Clock()
    watched = Watched(job(), clock)
    assert line(watched) == "job_1 training"
    watched.take_costs([0], [2.0], [3.0])
    clock.seconds = 2.0
    watched.take_costs([1, 400], [1.5, 0.25], [None, 0.5])
    assert line(watched) == "job_1 training, iteration 400 of 1,000, J = 0.25, held out 0.5, 200 it/s, 3 s left"
    watched.take_job(job(status="succeeded", iteration=1_000, cost=0.125))
    assert "left" not in line(watched)
    assert [duration(seconds) for seconds in (0.2, 59.6, 200, 7_500)] == ["0 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]


def test_trials_are_told_of() -> None:
    candidates = (Candidate(layers=(LayerSpec(),), weight_decay=0.1, deviances=(0.5, 0.25)),) * 3
    selection = Selection(parts=5, folds=5, rows=10, iterations=10, tells_iterations=False, candidates=candidates)
    watched = Watched(job(selection=selection))
    assert line(watched) == "job_1 choosing a network, 6 of at most 15 trials"
    assert watched.share == 6 / 15
    watched.take_job(job(selection=selection.model_copy(update={"chosen": 1})))
    assert line(watched) == "job_1 training"


def test_lines_come_when_the_status_changes_and_else_from_time_to_time() -> None:
    clock, stream = Clock(), io.StringIO()
    lines, watched = Lines(stream, clock), Watched(job(status="queued"), clock)
    lines.show(watched)
    lines.show(watched)
    watched.take_job(job())
    for iteration in range(10):
        clock.seconds += 0.5
        watched.take_costs([iteration], [1.0], None)
        lines.show(watched)
    watched.take_job(job(status="failed", iteration=9))
    lines.close(watched)
    lines.close(watched)
    told = stream.getvalue().splitlines()
    assert told[0] == "job_1 queued"
    assert told[-1] == "job_1 failed, iteration 9 of 1,000, J = 1"
    assert len(told) == 5  # queued, training at 0.5, 2.5 and 4.5 s, failed


def test_a_card_is_well_formed_and_says_what_others_have_written_as_text() -> None:
    notes = [JobNote(code="held_out_cost_rose", message="<script>alert(1)</script>")]
    watched = Watched(job(name='<b>"&', notes=notes))
    for iteration in range(3):
        watched.take_costs([iteration], [10.0**-iteration], [float("inf") if iteration else 1.0])
    card = ET.fromstring(job_card(watched))  # noqa: S314  # our own
    assert not card.findall(".//script")
    assert {each.tag for each in card.iter()} >= {"progress", "svg", "polyline", "title"}
    assert '<b>"&' in "".join(card.itertext())
    (curve, held_out) = card.iter("polyline")
    heights = [float(point.split(",")[1]) for point in curve.get("points", "").split()]
    assert heights == sorted(heights)  # J falls, and SVG counts downwards
    assert len(held_out.get("points", "").split()) == 1


def test_a_bar_is_drawn_in_a_terminal() -> None:
    stream = io.StringIO()
    with patch.object(stream, "isatty", return_value=True, create=True):
        display = display_for(True, stream)
    assert isinstance(display, Bar)
    watched = Watched(job())
    watched.take_costs([500], [0.25], None)
    display.show(watched)
    display.close(watched)
    told = " ".join(stream.getvalue().split())
    assert told.startswith("job_1 training")
    assert "500 of 1,000 · J = 0.25" in told


def test_a_notebook_has_one_picture_that_changes() -> None:
    shown: list[str] = []
    handle = SimpleNamespace(update=lambda card: shown.append(card))

    def display(card: str, display_id: bool) -> object:
        assert display_id
        shown.append(card)
        return handle

    ipython, module = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    module.HTML, module.display = str, display  # type: ignore[attr-defined]
    with patch.dict(sys.modules, {"IPython": ipython, "IPython.display": module}):
        notebook = display_for(True)
        assert isinstance(notebook, Notebook)
        watched = Watched(job(status="queued"))
        notebook.show(watched)
        watched.take_job(job(status="succeeded", model_id="mdl_1"))
        notebook.close(watched)
    assert "queued" in shown[0]
    assert "mdl_1" in shown[1]
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("progress", "rich", "expected"), [(False, True, Nothing), (True, False, Lines), (True, True, Lines)]
)
def test_which_display(progress: bool, rich: bool, expected: type[Display]) -> None:
    stream = io.StringIO()
    assert isinstance(display_for(progress, stream), expected)
    if not rich:
        stream.isatty = lambda: True  # type: ignore[method-assign]
        with patch.dict(sys.modules, {"rich.progress": None, "rich": None}):
            assert isinstance(display_for(progress, stream), expected)
