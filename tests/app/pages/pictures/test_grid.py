"""Grids of marks: every number is there, with its sign and shade; large ones show the largest of each block."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.pages.pictures.grid import MOST_MARKS_A_SIDE, SHADES, largest_of_each, outer_product_grid, unit_grid


def marks(svg: str, kind: str) -> dict[float, int]:
    """How many marks of a kind there are by their opacity."""
    paths = re.findall(r'<path class="(\w+)" fill-opacity="([\d.]+)" d="([^"]+)"/>', svg)
    return {float(opacity): drawn.count("M") for each, opacity, drawn in paths if each == kind}


def test_signs_and_shades_follow_the_numbers() -> None:
    svg = unit_grid(np.array([1.0, 0.5, 0.0, -1.0, -0.001]), "a <b>")
    assert marks(svg, "plus") == {1.0: 1, 0.5: 1}
    assert marks(svg, "minus") == {1.0: 1, 1 / SHADES: 1}
    assert "a &lt;b&gt;, from −1 to 1" in svg


def test_zeros_have_no_marks() -> None:
    svg = unit_grid(np.zeros(5), "zeros")
    assert marks(svg, "plus") == marks(svg, "minus") == {}


def test_units_stand_in_a_shape_that_is_nearly_square() -> None:
    assert 'viewBox="0 0 80 80"' in unit_grid(np.ones(64), "digits")
    assert 'viewBox="0 0 40 40"' in unit_grid(np.ones(13), "more")
    assert 'viewBox="0 0 10 10"' in unit_grid(np.ones(1), "one")


def test_an_outer_product_is_drawn_mark_by_mark() -> None:
    svg = outer_product_grid(np.array([1.0, -2.0]), np.array([1.0, 1.0, 0.0]), "product")
    assert marks(svg, "plus") == {0.5: 2}
    assert marks(svg, "minus") == {1.0: 2}


@pytest.mark.parametrize("units", [MOST_MARKS_A_SIDE, MOST_MARKS_A_SIDE + 1, 1000])
def test_a_large_matrix_shows_the_largest_value_of_each_block(units: int) -> None:
    generator = np.random.default_rng(0)
    column, row = generator.standard_normal(units), generator.standard_normal(3 * units)
    chosen = np.outer(column[largest_of_each(column, MOST_MARKS_A_SIDE)], row[largest_of_each(row, MOST_MARKS_A_SIDE)])
    assert max(chosen.shape) <= MOST_MARKS_A_SIDE
    assert np.abs(chosen).max() == np.abs(np.outer(column, row)).max()
    svg = outer_product_grid(column, row, "large")
    assert sum(marks(svg, "plus").values()) + sum(marks(svg, "minus").values()) == chosen.size
