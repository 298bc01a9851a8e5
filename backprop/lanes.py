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

MOST_LANES = 16
"""More threads than this find no work; each lane holds a gradient of its own."""


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

    def of(self, lane: int) -> Iterator[tuple[int, int]]:
        """First row and end of each block of a lane, in order."""
        total = self.count * self.blocks
        for block in range(lane * self.blocks, (lane + 1) * self.blocks):
            yield self._m * block // total, self._m * (block + 1) // total


class Crew:
    """Threads that work through lanes together; the calling thread is one of them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1, "lane") if threads > 1 else None

    def work_through(self, lanes: int, work: Callable[[int, int], None]) -> None:
        """Call ``work(lane, thread)`` once for every lane; return when all are done.

        The threads are numbered from 0, so that each can have buffers of its own.
        """
        if self._others is None or lanes == 1:
            for lane in range(lanes):
                work(lane, 0)
            return
        waiting = iter(range(lanes))  # its next() is atomic

        def drain(thread: int) -> None:
            for lane in waiting:
                work(lane, thread)

        others = [self._others.submit(drain, thread) for thread in range(1, min(self.threads, lanes))]
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
