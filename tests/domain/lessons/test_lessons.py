"""The data of lessons: always the same, small, and what they say they are."""

from __future__ import annotations

import numpy as np
import pytest

from domain.lessons import digits, points
from domain.lessons.lessons import LESSONS, lesson
from infra.errors import NotFound


@pytest.mark.parametrize("each", LESSONS, ids=lambda each: each.slug)
def test_data_are_the_same_every_time_and_small(each: object) -> None:
    assert hasattr(each, "table")
    assert each.table() == each.table()
    assert len(each.table()) < 100_000


@pytest.mark.parametrize("make", [points.xor, points.circles, points.spiral])
def test_there_are_as_many_points_of_each_kind_and_another_seed_gives_others(make: object) -> None:
    assert callable(make)
    made = make()
    assert made.x.shape == (2 * points.EACH_KIND, 2)
    assert made.is_second.sum() == points.EACH_KIND
    assert not np.array_equal(made.x, make(seed=1).x)


@pytest.mark.parametrize("make", [points.xor, points.circles, points.spiral])
def test_no_straight_line_tells_the_kinds_apart(make: object) -> None:
    assert callable(make)
    made = make()
    signs = np.where(made.is_second, 1.0, -1.0)
    design = np.column_stack([made.x, np.ones(len(made.x))])
    line, *_ = np.linalg.lstsq(design, signs, rcond=None)
    assert np.mean(np.sign(design @ line) == signs) < 0.75


def test_digits_are_pictures_of_eight_by_eight_and_differ() -> None:
    drawn = digits.drawn()
    assert drawn.pixels.shape == (10 * digits.EACH, digits.SIDE**2)
    assert (drawn.pixels.min(), drawn.pixels.max()) == (0, digits.DARKEST)
    assert np.bincount(drawn.digits).tolist() == [digits.EACH] * 10
    assert len(np.unique(drawn.pixels, axis=0)) == len(drawn.pixels)


def test_a_lesson_is_found_by_its_name_and_no_other() -> None:
    assert lesson("xor").title == "XOR"
    with pytest.raises(NotFound):
        lesson("none")
