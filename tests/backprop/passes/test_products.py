from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.passes import products
from backprop.passes.products import (
    RowProduct,
    SumProduct,
    cut,
    most_summed_pieces,
    piece_rows,
    summed_piece_rows,
    transposed,
)

ROWS = st.integers(1, 400)
UNITS = st.integers(1, 12)


@pytest.fixture(autouse=True, scope="module")
def small_numbers() -> Iterator[None]:
    """So that small matrices are cut as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL_PRODUCT", 1000)
        patch.setattr(products, "MANY_ROWS", 20)
        patch.setattr(products, "SUMMED_ROWS", 30)
        yield


@given(m=ROWS, rows=ROWS)
def test_cutting_keeps_every_row_in_order(m: int, rows: int) -> None:
    A = np.arange(2.0 * m).reshape(m, 2)
    pieces = cut(A, rows)
    assert 1 <= len(pieces) <= 2
    assert all(np.shares_memory(piece, A) for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([piece.reshape(-1, 2) for piece in pieces]), A)


@given(m=ROWS, n_in=UNITS, n_out=UNITS)
def test_products_are_those_of_the_whole_matrices(m: int, n_in: int, n_out: int) -> None:
    rng = np.random.default_rng(m)
    A, B, D = rng.normal(size=(m, n_in)), rng.normal(size=(n_in, n_out)), rng.normal(size=(m, n_out))
    out = np.zeros((m, n_out + 1))
    by_row = RowProduct(out[:, :-1], n_in)
    by_row.of(cut(A, by_row.rows), B)
    np.testing.assert_allclose(out[:, :-1], A @ B, atol=1e-12)
    assert not out[:, -1].any()
    summed = SumProduct(m, n_in, n_out, A.dtype)
    total = np.zeros((n_in, n_out))
    summed.of(transposed(cut(A, summed.rows)), cut(D, summed.rows), total)
    np.testing.assert_allclose(total, A.T @ D, atol=1e-11)


@given(m=ROWS, n_in=UNITS, n_out=UNITS)
def test_pieces_are_small_products_or_there_is_one(m: int, n_in: int, n_out: int) -> None:
    for rows in (piece_rows(m, n_in, n_out), summed_piece_rows(m, n_in, n_out)):
        assert 1 <= rows <= m
        assert rows == m or rows * n_in * n_out <= products.SMALL_PRODUCT


@given(m=ROWS, fewer=st.integers(0, 400), n_in=UNITS, n_out=UNITS)
def test_a_sum_has_no_more_pieces_than_the_most_for_as_many_rows_or_more(
    m: int, fewer: int, n_in: int, n_out: int
) -> None:
    held = SumProduct(m, n_in, n_out, np.dtype(np.float64))._products
    assert len(held) <= most_summed_pieces(m + fewer, n_in, n_out)


def test_pieces_have_groups_of_rows_or_so_many_that_odd_ones_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SMALL_PRODUCT", 10**6), ("MANY_ROWS", 128)):
        monkeypatch.setattr(products, name, value)
    assert piece_rows(1250, 784, 100) == 12
    assert piece_rows(1250, 784, 512) == 1250
    assert piece_rows(1250, 64, 256) == 1250
    assert piece_rows(2500, 65, 25) == 500
