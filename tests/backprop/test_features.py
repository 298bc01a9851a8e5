from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backprop.features import Floats, sheet_of_tiles, sheet_shape, strongest_inputs

WEIGHTS = arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 9)),
    elements=st.floats(-1e308, 1e308, allow_subnormal=False) | st.just(0.0),
)


@given(WEIGHTS)
def test_each_row_has_length_one_or_is_zero_and_points_along_the_weights(W: Floats) -> None:
    x, norms = strongest_inputs(W)
    lengths = np.sqrt((x**2).sum(axis=1))
    empty = ~W.any(axis=1)
    np.testing.assert_allclose(lengths[~empty], 1, rtol=1e-12)
    assert not x[empty].any()
    assert not norms[empty].any()
    finite = np.isfinite(norms)
    # Relative to the row: a weight 1e308 times smaller than its neighbour has no x of full precision.
    errors = np.abs(x[finite] * norms[finite, np.newaxis] - W[finite])
    assert (errors <= 1e-12 * norms[finite, np.newaxis]).all()
    assert (np.sign(x[np.abs(x) > 1e-12]) == np.sign(W[np.abs(x) > 1e-12])).all()


def test_no_other_input_of_length_one_makes_z_greater() -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=(6, 8))
    x, norms = strongest_inputs(W)
    others = rng.normal(size=(2000, 8))
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    assert ((W @ others.T).max(axis=1) < np.einsum("ij,ij->i", W, x)).all()
    np.testing.assert_allclose(norms, np.linalg.norm(W, axis=1), rtol=1e-14)


def test_single_precision_weights_are_computed_in_double() -> None:
    W = np.array([[3e38, 3e38]], np.float32)
    x, norms = strongest_inputs(W)
    np.testing.assert_allclose(x, [[0.5**0.5, 0.5**0.5]], rtol=1e-15)
    np.testing.assert_allclose(norms, [float(np.float32(3e38)) * 2**0.5], rtol=1e-15)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_every_value_is_found_again_on_the_sheet(units: int, width: int, height: int, scale: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(units, width * height))
    sheet = sheet_of_tiles(x, width, scale)
    assert sheet.shape == sheet_shape(units, width * height, width, scale)
    columns = (sheet.shape[1] - 1) // (width * scale + 1)
    assert (columns - 1) ** 2 < units <= columns**2
    rest = sheet.copy()
    for unit in range(units):
        top = 1 + unit // columns * (height * scale + 1)
        left = 1 + unit % columns * (width * scale + 1)
        tile = sheet[top : top + height * scale, left : left + width * scale]
        for row, column in np.ndindex(height, width):
            pixels = tile[row * scale : (row + 1) * scale, column * scale : (column + 1) * scale]
            value = x[unit, row * width + column] / np.abs(x[unit]).max()
            assert len(np.unique(pixels)) == 1
            assert abs(float(pixels[0, 0]) - 127.5 * (1 + value)) <= 0.5 + 1e-9
        rest[top : top + height * scale, left : left + width * scale] = 0
    assert not rest.any()


def test_a_unit_without_weights_is_a_grey_tile() -> None:
    sheet = sheet_of_tiles(np.zeros((1, 4)), 2)
    assert set(np.unique(sheet[1:-1, 1:-1])) == {128}


@pytest.mark.parametrize("width", [0, 3, 5, -1])
def test_a_width_that_does_not_divide_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match="do not fill"):
        sheet_of_tiles(np.ones((2, 4)), width)
