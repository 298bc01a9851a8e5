"""The picture of a network."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from app.pages.pictures.network import MOST_LAYERS, MOST_UNITS, network_picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(sizes: list[int], activations: list[str]) -> ET.Element:
    text = str(network_picture(sizes, activations)).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return ET.fromstring(text)  # noqa: S314  # we have just written it


def words(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def test_a_small_network_is_drawn_unit_by_unit() -> None:
    picture = drawn([3, 4, 1], ["tanh", "sigmoid"])
    assert len(list(picture.iter(f"{SVG}circle"))) == 8
    weights = [each.get("d", "").count("M") for each in picture.iter(f"{SVG}path")]
    assert weights == [12, 4]
    assert words(picture) == ["input", "3", "", "hidden 1", "4", "tanh", "output", "1", "sigmoid"]
    assert picture.get("aria-label") == "Layers of the network: 3 inputs, 4 tanh units, 1 sigmoid units"


def test_of_large_layers_some_units_are_drawn_with_dots_between() -> None:
    picture = drawn([784, 10_000], ["softmax"])
    assert len(list(picture.iter(f"{SVG}circle"))) == 2 * (MOST_UNITS - 1)
    assert words(picture) == ["⋮", "input", "784", "", "⋮", "output", "10,000", "softmax"]


def test_of_deep_networks_some_layers_are_drawn_with_dots_between() -> None:
    picture = drawn([2] * 101, ["relu"] * 100)
    assert len(list(picture.iter(f"{SVG}g"))) == MOST_LAYERS
    assert words(picture).count("…") == 1
    assert {"hidden 3", "hidden 98", "hidden 99", "output"} <= set(words(picture))
    assert "hidden 4" not in words(picture)


def test_everything_is_inside() -> None:
    for sizes in ([1, 1], [7, 7, 7], [50] * 40):
        picture = drawn(sizes, ["linear"] * (len(sizes) - 1))
        width, height = map(float, picture.get("viewBox", "").split()[2:])
        for circle in picture.iter(f"{SVG}circle"):
            assert 8 <= float(circle.get("cx", "")) <= width - 8
            assert 8 <= float(circle.get("cy", "")) <= height - 8
