"""Pictures of curves: everything has its place, nothing measured is left out, and numbers stay readable."""

from __future__ import annotations

import io
import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.pages.pictures.axes import ScaleName, axis_of, tick_text
from app.pages.pictures.curve import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    as_png,
    as_svg,
    laid_out,
    smoothed,
)
from app.pages.pictures.sparkline import sparkline

COSTS = st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=40)
ANY = st.floats(allow_nan=True, allow_infinity=True) | st.none()
SCALES: st.SearchStrategy[ScaleName] = st.sampled_from(["linear", "log"])


@given(COSTS, SCALES)
def test_an_axis_has_room_for_all_and_keeps_their_order(values: list[float], scale: ScaleName) -> None:
    axis = axis_of(values, 400, 10, scale)
    places = [axis.place(value) for value in sorted(values)]
    assert all(10 <= place <= 400 for place in places)
    assert places == sorted(places, reverse=True)


@given(COSTS, SCALES)
def test_ticks_are_on_the_axis_and_not_too_many(values: list[float], scale: ScaleName) -> None:
    axis = axis_of(values, 0, 100, scale)
    ticks = axis.ticks(6)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 20
    spread = axis.high - axis.low
    assert all(axis.low - 1e-6 * spread <= tick <= axis.high + 1e-6 * spread for tick in ticks)


def test_ticks_of_the_logarithm_are_powers_of_ten() -> None:
    assert axis_of([1e-6, 10.0], 0, 100, "log").ticks(6) == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10])
    assert axis_of([0.0, 10.0], 0, 100, "log").scale == "linear"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.125, "0.125"),
        (-2.5, "−2.5"),
        (20000.0, "20\u202f000"),
        (1e-7, "1e−7"),
        (3e8, "3e8"),
        (0.3, "0.3"),
    ],
)
def test_ticks_are_written_short(value: float, text: str) -> None:
    assert tick_text(value) == text


@given(st.lists(ANY, max_size=30), SCALES, st.sampled_from([0.0, 0.5, 0.99]))
def test_whatever_a_line_has_is_drawn_inside_the_picture(
    values: list[float | None], scale: ScaleName, smoothing: float
) -> None:
    drawn = laid_out([Line("J", range(len(values)), values)], scale, smoothing)
    finite = [value for value in values if value is not None and math.isfinite(value)]
    points = [point for piece in drawn.lines[0].raw for point in piece]
    assert len(points) == len(finite)
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in points)
    svg = ET.fromstring(as_svg(drawn, "a <title> & more"))  # noqa: S314  # it was made here
    assert svg.get("aria-label") == "a <title> & more"
    (group,) = (each for each in svg.iter() if each.get("data-name"))
    assert [float(text) for text in (group.get("data-y") or "").split()] == pytest.approx(finite, rel=1e-8)


def test_the_raw_line_stays_where_it_is_smoothed() -> None:
    line = Line("J", range(5), [5.0, 1.0, 4.0, 2.0, 3.0])
    svg = str(as_svg(laid_out([line], "linear", 0.5), "J"))
    assert svg.count('class="line line-1 raw"') == 1
    assert svg.count('class="line line-1"') == 1
    assert "raw" not in str(as_svg(laid_out([line], "linear"), "J"))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 0.99))
def test_a_smoothed_value_is_between_those_that_it_is_made_of(values: list[float], share: float) -> None:
    for place, average in enumerate(smoothed(range(len(values)), values, share)):
        assert average is not None
        seen = values[: place + 1]
        assert min(seen) - 1e-6 <= average <= max(seen) + 1e-6
    assert smoothed(range(len(values)), values, 0.0) == values


def test_points_that_are_left_out_do_not_slow_the_smoothing_down() -> None:
    costs = [2.0**-k for k in range(200)]
    whole, some = range(200), range(0, 200, 10)
    all_points = smoothed(whole, costs, 0.5)
    few_points = smoothed(some, costs[::10], 0.5)
    assert few_points[5] == pytest.approx(all_points[50], rel=0.05, abs=1e-13)
    assert (few_points[5] or 1.0) < costs[40]


@pytest.mark.parametrize(
    "costs", [[0.1, 0.1 + 1e-17, 0.1 + 2e-17], [1e308], [5e-324], [0.05, 0.05 * (1 + 2e-16)], [1e-320, 1e300]]
)
def test_costs_that_logarithms_cannot_tell_apart_are_drawn_all_the_same(costs: list[float]) -> None:
    assert "<path" in str(as_svg(laid_out([Line("J", range(len(costs)), costs)], "log"), "J"))


def test_lines_look_different_and_held_out_values_are_joined_over_gaps() -> None:
    first = Line("J", range(6), [6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    held = Line("held-out J", range(6), [6.0, None, None, 5.0, None, 5.5])
    drawn = laid_out([first, held], "log")
    assert [each.kind for each in drawn.lines] == [1, 2]
    assert [len(piece) for piece in drawn.lines[1].raw] == [3]


def test_the_png_shows_the_same_and_is_a_picture() -> None:
    image = Image.open(io.BytesIO(as_png(laid_out([Line("J", range(3), [3.0, 2.0, 1.0])], "linear"))))
    assert image.size == (2 * WIDTH, 2 * HEIGHT)
    assert image.getpixel((2 * LEFT, 2 * TOP)) != (255, 255, 255)


def test_a_file_of_its_own_brings_its_looks() -> None:
    layout = laid_out([Line("J", range(3), [3.0, 2.0, 1.0])], "linear")
    alone = str(as_svg(layout, "J", stands_alone=True))
    assert "<style>" in alone
    assert re.search(r'stroke="#[0-9a-f]{6}"', alone)
    assert "<style>" not in str(as_svg(layout, "J"))


@given(st.lists(st.floats(1e-300, 1e300), max_size=40))
def test_a_sparkline_is_a_picture_or_nothing(costs: list[float]) -> None:
    picture = sparkline(range(len(costs)), costs)
    assert bool(picture) == (len(costs) >= 2)
    if picture:
        points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", str(picture))
        assert len(points) == len(costs)
        assert all(0 <= float(x) <= 96 and 0 <= float(y) <= 24 for x, y in points)
