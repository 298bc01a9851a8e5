"""How the examples are dealt to threads so that any number of threads gives the same bits.

The examples are cut into blocks, and consecutive blocks make a lane. Threads take whole lanes, whichever is next;
each lane sums its own blocks in order, and the lanes' sums are added in order. So neither the cut nor the order of any
sum depends on how many threads there are or on which is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

BLOCK_ROWS = 1024
"""Most rows of a block: with the usual layers they stay in a core's second cache on their way there and back."""

SMALL_WORK = 2**22
"""Examples × parameters below which one thread is done before a second has woken up."""

MOST_LANES = 16
"""More threads than this find no work."""

MOST_LANE_PARAMETERS = 2**26
"""Every lane holds a gradient; for a huge network, there are fewer lanes, but at least four."""


class Lanes:
    """m examples cut into lanes × blocks nearly equal blocks.

    Attributes:
        count: lanes.
        blocks: of each lane.
        row_counts: the (one or two) numbers of rows that a block can have.
    """

    def __init__(self, m: int, count: int, blocks: int) -> None:
        self.count = count
        self.blocks = blocks
        self._m = m
        total = count * blocks
        self.row_counts = tuple({m // total, -(-m // total)})

    @classmethod
    def for_work(cls, m: int, parameters: int) -> Lanes:
        """Cut m examples as it suits a network of so many parameters, and never as it suits the threads."""
        blocks = -(-m // BLOCK_ROWS)
        if m * parameters < SMALL_WORK:
            return cls(m, 1, blocks)
        count = min(m, MOST_LANES, max(4, MOST_LANE_PARAMETERS // parameters))
        return cls(m, count, -(-blocks // count))

    def of(self, lane: int) -> Iterator[tuple[int, int]]:
        """First row and end of each block of a lane, in order."""
        total = self.count * self.blocks
        for block in range(lane * self.blocks, (lane + 1) * self.blocks):
            yield self._m * block // total, self._m * (block + 1) // total


class Crew:
    """Threads that share pieces of work; the calling thread is one of them.

    Attributes:
        threads: how many, itself included.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1, "lane") if threads > 1 else None

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
