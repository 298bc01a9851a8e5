"""Points and regions in a plane: every point is drawn where it is, and regions cover the whole picture."""

from __future__ import annotations

import re

import numpy as np

from app.pages.pictures.plane import SIDE, frame_around, mark, places_in, plane


def test_points_of_each_kind_have_a_form_and_a_colour_of_their_own() -> None:
    svg = plane(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]), np.array([0, 1, 7]), "<three>")
    forms = re.findall(r'<path class="(kind-\d)" d="M([\d.]+) ([\d.]+)m', svg)
    assert [form for form, _, _ in forms] == ["kind-1", "kind-2", "kind-2"]
    assert "&lt;three&gt;" in svg
    across = [float(x) for _, x, _ in forms]
    down = [float(y) for _, _, y in forms]
    assert across == sorted(across)
    assert down[0] == down[2] > down[1]
    assert all(0 < each < SIDE for each in across + down)


def test_regions_cover_the_picture_without_overlap() -> None:
    regions = np.array([[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 0, 1], [2, 2, 2, 2]])
    svg = plane(np.array([[0.0, 0.0]]), np.array([0]), "regions", regions)
    covered = dict.fromkeys((1, 2, 3), 0.0)
    for kind, drawn in re.findall(r'class="region-(\d)" d="([^"]+)"', svg):
        for width, height in re.findall(r"h([\d.]+)v([\d.]+)h-", drawn):
            covered[int(kind)] += float(width) * float(height) / SIDE**2
    assert covered == {1: 4 / 16, 2: 8 / 16, 3: 4 / 16}


def test_places_are_inside_the_frame_from_the_top_left_on() -> None:
    frame = frame_around(np.array([[0.0, 0.0], [10.0, 20.0]]))
    places = places_in(frame, 5)
    assert len(places) == 25
    assert places[0][0] < places[1][0]
    assert places[0][1] > places[5][1]
    assert frame.left < places[:, 0].min()
    assert places[:, 1].max() < frame.top


def test_points_in_one_place_have_room_around_them() -> None:
    frame = frame_around(np.array([[3.0, 4.0]]))
    assert frame == (2.0, 4.0, 3.0, 5.0)


def test_a_legend_has_the_forms_of_the_picture() -> None:
    svg = plane(np.array([[0.0, 0.0]]), np.array([3]), "one")
    form = re.search(r'class="kind-4" d="M[\d.]+ [\d.]+(m[^"]+)"', svg)
    assert form is not None
    assert form[1] in mark(3)
