"""Matrix products of many rows, cut into pieces.

OpenBLAS multiplies small matrices as they lie, and rearranges larger ones first, which takes as long as multiplying
where one side has few columns. So a product of many rows by a small matrix is cut into pieces that are small enough,
where these have enough rows or the matrix few columns; a stack of them is one NumPy call, without the interpreter lock.
How a product is cut depends on its size alone, and so do its bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SMALL_PRODUCT = 10**6
"""Multiplications. Up to so many, OpenBLAS forms a product of matrices as they lie (for AVX-512)."""

GROUP = 12
"""Rows. OpenBLAS takes so many at once in a small product. A piece has a multiple of them. Large pieces may have some
rows more, since these hardly count there."""

MANY_ROWS = 128
"""Rows. Where a small product would have fewer, a large one is as fast. The exception is a `TALL` matrix B."""

TALL = 4
"""Rows of B for each of its columns. From this on, it is the rearranging of A that takes long."""

SUMMED_ROWS = 256
"""Rows. A product that sums over rows is cut into pieces of at most so many, because these fit into the first cache."""


def cut(A: Array, rows: int) -> list[Array]:
    """Views of A, (m, n): a stack of pieces of so many rows, (m // rows, rows, n), and the rows left over, if any."""
    whole = len(A) // rows * rows
    pieces = [A[:whole].reshape(-1, rows, A.shape[1])] if whole else []
    return pieces if whole == len(A) else [*pieces, A[whole:]]


def piece_rows(m: int, n_in: int, n_out: int) -> int:
    """Of how many rows a piece is of (m, n_in) times (n_in, n_out)."""
    most = SMALL_PRODUCT // (n_in * n_out) // GROUP * GROUP
    if most == 0 or m <= most or (most < MANY_ROWS and n_in < TALL * n_out):
        return m
    equal = _equal_pieces(m, most)
    return equal if equal >= MANY_ROWS or equal % GROUP == 0 else most


def summed_piece_rows(m: int, n_in: int, n_out: int) -> int:
    """Of how many rows a piece is of the transpose of (m, n_in) times (m, n_out)."""
    most = SMALL_PRODUCT // (n_in * n_out)
    return m if most < MANY_ROWS else _equal_pieces(m, min(SUMMED_ROWS, most))


def most_summed_pieces(m: int, n_in: int, n_out: int) -> int:
    """The most pieces that the transpose of (m, n_in) times (m, n_out) is summed from; 0 if it is never cut.

    It holds for fewer rows than m too.
    """
    most = SMALL_PRODUCT // (n_in * n_out)
    if most < MANY_ROWS:
        return 0
    least = -(-m // min(SUMMED_ROWS, most))
    return 2 * least - 1 if least > 1 else 0


def _equal_pieces(m: int, most: int) -> int:
    """Rows of pieces that leave none over, if there are such without making many more pieces; else `most`."""
    least = -(-m // most)
    return next((m // pieces for pieces in range(least, 2 * least) if m % pieces == 0), most)


class RowProduct:
    """A B, row by row, written to where it is wanted.

    Args:
        out: (m, n_out); its rows may have a stride.
        n_in: columns of A.
    """

    def __init__(self, out: Array, n_in: int) -> None:
        self.rows = piece_rows(len(out), n_in, out.shape[1])
        self._out = cut(out, self.rows)

    def of(self, A: list[Array], B: Array) -> None:
        """Multiply; A is cut into pieces of `rows`."""
        for piece, out in zip(A, self._out, strict=True):
            np.matmul(piece, B, out=out)


class SumProduct:
    """Aᵀ D, summed over the rows of both.

    Args:
        m: rows.
        n_in: columns of A.
        n_out: columns of D.
        dtype: of all.
    """

    def __init__(self, m: int, n_in: int, n_out: int, dtype: np.dtype[Any]) -> None:
        self.rows = summed_piece_rows(m, n_in, n_out)
        pieces = m // self.rows
        self._products = np.empty((-(-m // self.rows) if m > self.rows else 0, n_in, n_out), dtype)
        self._out = [self._products[:pieces], *self._products[pieces:]]

    def of(self, A: list[Array], D: list[Array], out: Array) -> None:
        """Multiply and sum; A, transposed, and D are cut into pieces of `rows`."""
        if not len(self._products):
            np.matmul(A[0][0], D[0][0], out=out)
            return
        for piece, delta, product in zip(A, D, self._out, strict=True):
            np.matmul(piece, delta, out=product)
        np.add.reduce(self._products, axis=0, out=out)


def transposed(pieces: list[Array]) -> list[Array]:
    """The transpose of every piece."""
    return [piece.swapaxes(-1, -2) for piece in pieces]
