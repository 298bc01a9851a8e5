"""Charts: where values are on an axis, which ticks it has, and what is drawn."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.pictures.chart import MOST_TICKS, Axis, Chart, Dots, Line, Word, tick_text

finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(finite, min_size=1))
def test_an_axis_holds_all_values_between_its_ends(values: list[float]) -> None:
    axis = Axis.over("v", values)
    assert axis.low < axis.high
    assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in values)


@given(st.lists(st.floats(1e-12, 1e12), min_size=1))
def test_a_logarithmic_axis_too(values: list[float]) -> None:
    axis = Axis.over("v", values, logarithmic=True)
    assert 0 < axis.low < axis.high
    assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in values)


def test_what_has_no_place_is_left_out() -> None:
    assert Axis.over("v", [1, math.nan, math.inf, 3]) == Axis("v", 1, 3)
    assert Axis.over("v", [-1, 0, 10, 1000], logarithmic=True) == Axis("v", 10, 1000, logarithmic=True)
    assert not Axis("v", 1, 10, logarithmic=True).holds(0)
    assert Axis.over("v", []).low < Axis.over("v", []).high


@given(finite, st.floats(1e-6, 1e9))
def test_ticks_are_few_and_within_the_axis(low: float, span: float) -> None:
    axis = Axis("v", low, low + span)
    if axis.high - axis.low < 1e-9 * abs(low):
        return  # nearer to each other than doubles are round
    ticks = axis.ticks
    assert 2 <= len(ticks) <= MOST_TICKS
    assert all(-1e-6 <= axis.share(tick) <= 1 + 1e-6 for tick in ticks)


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis("v", 0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Axis("v", -3, 3), ["−2", "0", "2"]),
        (Axis("v", 1e-3, 10, logarithmic=True), ["0.001", "0.01", "0.1", "1", "10"]),
        (Axis("v", 1e-9, 1e6, logarithmic=True), ["1e−09", "1e−06", "0.001", "1", "1000", "1e+06"]),
        (Axis("v", 2, 5, logarithmic=True), ["2", "3", "4", "5"]),
    ],
)
def test_ticks_are_round(axis: Axis, ticks: list[str]) -> None:
    assert [tick_text(each) for each in axis.ticks] == ticks


def test_a_chart_draws_what_it_is_given() -> None:
    chart = Chart(
        "<Title>",
        "What & how",
        Axis("x", 0, 10),
        Axis("a name that is much longer than there is room for", 1, 100, logarithmic=True),
        lines=[Line("cost", [0, 5, 7, 10], [1, 10, math.nan, 100], 2, has_dots=True)],
        guides=[Line("even", [0, 10], [1, 100])],
        dots=[Dots([5, 5], [10, 0])],
        words=[Word(5, 10, "<b>")],
        image="/picture.png?x=a&y=b",
    )
    picture = ET.fromstring(str(chart.svg()))  # noqa: S314  # our own
    assert [each.text for each in picture[:2]] == ["<Title>", "What & how"]
    assert picture.attrib["role"] == "img"
    paths = {each.attrib["class"]: each.attrib["d"] for each in picture.iter("path")}
    assert paths["line line-2"] == "M56.0 254.0L241.0 133.0M426.0 12.0"  # interrupted where there is no value
    assert paths["guide"] == "M56.0 254.0L426.0 12.0"
    marks = {each.attrib["class"]: len(each) for each in picture.iter("g")}
    assert marks == {"dots dots-1": 1, "dots dots-2": 3}  # 0 has no place on a logarithmic axis
    (image,) = picture.iter("image")
    assert image.attrib["href"] == "/picture.png?x=a&y=b"
    texts = [each.text or "" for each in picture.iter("text")]
    assert "<b>" in texts
    assert any(text.endswith("…") for text in texts)
