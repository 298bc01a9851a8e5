"""How a column of numbers is spread, as a picture."""

from __future__ import annotations

import re

import pytest

from app.pages.pictures.spread import MARGIN, WIDTH, spread


def test_the_bar_is_where_most_values_are() -> None:
    text = str(spread(0.0, 100.0, 50.0, 10.0))
    found = re.search(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', text)
    assert found is not None
    left, wide = map(float, found.groups())
    unit = (WIDTH - 2 * MARGIN) / 100
    assert left == pytest.approx(MARGIN + 40 * unit, abs=0.06)
    assert wide == pytest.approx(20 * unit, abs=0.06)


def test_the_bar_stays_inside() -> None:
    text = str(spread(0.0, 1.0, 0.1, 5.0))
    assert f'<rect x="{MARGIN:.1f}"' in text
    assert f'width="{WIDTH - 2 * MARGIN:.1f}"' in text


@pytest.mark.parametrize(
    "numbers", [(None, None, None, None), (1.0, 1.0, 1.0, 0.0), (-1.7e308, 1.7e308, 0.0, 1e308), (0.0, 1.0, None, None)]
)
def test_there_is_nothing_to_draw_of_one_value_or_none(numbers: tuple[float | None, ...]) -> None:
    assert spread(*numbers) == ""
