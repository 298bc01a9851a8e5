"""Pictures of matrices and of answers over two inputs: which value has which colour."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.pages.pictures.grey import LARGEST_CELL, LARGEST_SIDE, matrix_picture
from app.pages.pictures.regions import HIGH, LOW, UNKNOWN, surface_picture
from domain.models.surface import Surface


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_zero_is_grey_and_the_farthest_weight_black_or_white() -> None:
    picture = pixels(matrix_picture(np.array([[0.0, 2.0], [-2.0, 1.0]])))
    assert picture.shape == (2 * LARGEST_CELL, 2 * LARGEST_CELL)
    assert picture[::LARGEST_CELL, ::LARGEST_CELL].tolist() == [[128, 255], [0, 191]]
    assert pixels(matrix_picture(np.zeros((1, 1)))).max() == 128


def test_large_matrices_make_no_large_pictures() -> None:
    assert pixels(matrix_picture(np.ones((3, 5000)))).shape == (3, LARGEST_SIDE)


def test_low_numbers_are_dark_and_unknown_ones_grey() -> None:
    picture = pixels(surface_picture(Surface(np.array([[0.0, 1.0], [np.nan, 0.5]]), None)))
    half = len(picture) // 2
    assert tuple(picture[-1, 0]) == LOW  # y is upwards
    assert tuple(picture[-1, -1]) == HIGH
    assert tuple(picture[0, 0]) == UNKNOWN
    assert sum(LOW) < picture[0, half].sum() < sum(HIGH)
    assert pixels(surface_picture(Surface(np.full((2, 2), np.nan), None))).max() == 128
    assert pixels(surface_picture(Surface(np.full((2, 2), 7.0), None))).std() > 0


def test_classes_are_the_stronger_the_higher_their_score_and_have_borders() -> None:
    surface = Surface(np.array([[0.0, 0.0], [1.0, np.nan]]), np.array([[0.9, 0.5], [0.7, np.nan]]))
    picture = pixels(surface_picture(surface)).astype(int)
    half = len(picture) // 2
    strong, weak = picture[-1, 0], picture[-1, -1]
    assert strong.sum() < weak.sum()
    assert tuple(picture[0, -1]) == UNKNOWN
    assert picture[half - 1, 0].sum() < 100  # the border between the two classes
