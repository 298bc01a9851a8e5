"""How the examples are dealt to threads so that any number of threads gives the same bits.

The examples are cut into lanes, and lanes into blocks. Threads take whole lanes, whichever is next; each lane sums its
own blocks in order, and the lanes' sums are added in order. So neither the cut nor the order of any sum depends on how
many threads there are or on which is faster.

A block is what goes through the network at once: few enough values for a core's second cache, and enough of them that
a NumPy call takes some ten microseconds at least, since threads that call more often wait for the interpreter and not
for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from backprop.passes import products

BLOCK_VALUES = 160_000
"""Values. The widest layer of a block has so many, if there are rows enough."""

LEAST_BLOCK_ROWS = 1024
"""Rows. With fewer, products with a wide layer would be too thin, whatever the cache."""

MOST_BLOCK_ROWS = 8192
"""Rows. A network whose layers are all narrow has no more in a block, so that a few thousand examples still make
several lanes."""

SMALL_WORK = 10**7
"""Examples times parameters. Below this, one thread is done before a second one has woken up."""

LANES = (4, 8, 16)
"""Lanes. Two, four or more threads share these numbers evenly. More threads find no work."""

MOST_LANE_PARAMETERS = 2**26
"""Parameters. Every lane holds a gradient. All lanes together hold no more than this, but there are at least four
lanes."""


class Stretch(NamedTuple):
    """Consecutive examples that make a block: `rows` of them, from `start` on."""

    start: int
    rows: int


def block_rows(sizes: Sequence[int]) -> int:
    """How many rows a block has for a network of these layers, given more examples than that."""
    return min(MOST_BLOCK_ROWS, max(LEAST_BLOCK_ROWS, BLOCK_VALUES // max(sizes[1:])))


def most_uncut(sizes: Sequence[int], parameters: int) -> int:
    """How many examples at most of a network of these layers and so many parameters are nothing to be cut up."""
    largest = max((n_in + 1) * (n_out + 1) for n_in, n_out in pairwise(sizes))
    return min(products.SMALL_PRODUCT // largest, (SMALL_WORK - 1) // parameters)


class Lanes:
    """m examples cut into lanes of nearly equal length, and these into blocks.

    Attributes:
        count: lanes.
        blocks: most that a lane has.
    """

    def __init__(self, m: int, sizes: Sequence[int], count: int) -> None:
        self._m = m
        self._lane_rows = -(-m // count)
        self.count = -(-m // self._lane_rows)
        self.blocks = -(-self._lane_rows // block_rows(sizes))
        self._rows = -(-self._lane_rows // self.blocks)

    @classmethod
    def for_work(cls, m: int, sizes: Sequence[int], parameters: int) -> Lanes:
        """Cut m examples as it suits a network of so many parameters, and never as it suits the threads."""
        if m * parameters < SMALL_WORK:
            return cls(m, sizes, 1)
        wanted = min(-(-m // block_rows(sizes)), MOST_LANE_PARAMETERS // parameters)
        return cls(m, sizes, max((count for count in LANES if count <= wanted), default=LANES[0]))

    def of(self, lane: int) -> Iterator[Stretch]:
        """The blocks of a lane, in order; the last may be shorter."""
        stop = min(self._m, (lane + 1) * self._lane_rows)
        for start in range(lane * self._lane_rows, stop, self._rows):
            yield Stretch(start, min(self._rows, stop - start))


class Crew:
    """Threads that share pieces of work; the calling thread is one of them.

    The others compute without warnings about numbers that overflow or are not finite.

    Attributes:
        threads: how many, itself included.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        # Each thread has an error state of its own.
        quietly = partial(np.seterr, all="ignore")
        self._others = ThreadPoolExecutor(threads - 1, "lane", quietly) if threads > 1 else None

    def work_through(self, pieces: int, work: Callable[[int, int], None]) -> None:
        """Call ``work(piece, thread)`` once for every piece; return when all are done.

        The threads are numbered from 0, so that each can have buffers of its own.
        """
        if self._others is None or pieces == 1:
            for piece in range(pieces):
                work(piece, 0)
            return
        waiting = iter(range(pieces))  # its next() is atomic

        def drain(thread: int) -> None:
            for piece in waiting:
                work(piece, thread)

        others = [self._others.submit(drain, thread) for thread in range(1, min(self.threads, pieces))]
        drain(0)
        for other in others:
            other.result()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Keep BLAS from starting threads under ours: its sums would depend on how many, and both would wait.

    The limit holds for the whole process. Finding the libraries takes milliseconds, so enter once, not per call.
    """
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        yield


def quiet_context() -> Context:
    """A context in which NumPy does not warn of numbers that overflow or are not finite.

    To be entered again and again, which takes a small part of what `numpy.errstate` takes.
    """
    context = copy_context()
    context.run(np.seterr, all="ignore")
    return context


@contextmanager
def computing() -> Iterator[None]:
    """What every evaluation needs around it: single-threaded BLAS, and no warnings of numbers that are not finite."""
    with single_threaded_blas(), np.errstate(all="ignore"):
        yield
