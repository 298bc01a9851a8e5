"""Predicted against actual: points beyond the frame stand at its edge, and what is no number is left out."""

from __future__ import annotations

import re

import numpy as np

from app.pages.pictures.scatter import SIDE, scatter


def points(svg: str) -> list[tuple[float, float]]:
    drawn = re.search(r'class="kind-1" d="([^"]+)"', svg)
    assert drawn is not None
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)m", drawn[1])]


def test_what_is_right_stands_on_the_line() -> None:
    values = np.array([0.0, 1.0, 4.0])
    assert all(abs(x + y - SIDE) < 0.2 for x, y in points(scatter(values, values, "right")))


def test_what_is_far_off_stands_at_the_edge_and_what_is_no_number_nowhere() -> None:
    found = points(scatter(np.array([0.0, 1.0, np.nan]), np.array([1e9, -1e9, 0.0]), "far"))
    assert len(found) == 2
    assert all(0 < y < SIDE for _, y in found)


def test_one_value_and_none_are_no_problem() -> None:
    assert len(points(scatter(np.ones(3), np.zeros(3), "one"))) == 3
    assert scatter(np.array([np.nan]), np.zeros(1), "none") == ""
