"""When a checkpoint is due, and what of it is still to be written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from backprop.training import Run
from domain.jobs.checkpoints import PART_BYTES, STALE_PARTS_AT_ONCE, Part, cut
from infra.codec import to_bytes

MOST_SHARE = 0.05
"""A share of an attempt's time. Taking and writing its checkpoints takes no more, so large states are saved less
often."""


class Keeper:
    """Keeps an attempt's newest state until it is written, part by part.

    The training thread takes states, another thread has them written. A state that is taken while an older one is still
    being written takes its place.

    Attributes:
        is_taking: the training thread is copying its state.
    """

    def __init__(self, checkpoint_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a state.

        Args:
            checkpoint_seconds: between two checkpoints, at the least.
            clock: gives seconds.
        """
        self.is_taking = False
        self._checkpoint_seconds = checkpoint_seconds
        self._clock = clock
        self._last_taken = clock()
        self._taking_seconds = 0.0
        self._writing_seconds = 0.0
        self._part_seconds = 0.0
        self._state: tuple[int, bytes] | None = None
        self._being_written: tuple[int, bytes] | None = None
        self._parts: Iterator[Part] = iter(())
        self._part: Part | None = None
        self._rounds = 0

    @property
    def is_due(self) -> bool:
        """Whether another state should be taken: the last one is written, and has paid for itself."""
        cost = self._taking_seconds + self._writing_seconds
        wait = max(self._checkpoint_seconds, cost / MOST_SHARE)
        return self._state is None and self._clock() - self._last_taken >= wait

    def take(self, run: Run, iteration: int) -> None:
        """Take the state of a run that is suspended after the record of that iteration."""
        self.is_taking = True
        began = self._clock()
        self._state = (iteration, to_bytes(run.state()))
        self._last_taken = self._clock()
        self._taking_seconds = self._last_taken - began
        self.is_taking = False

    def next_part(self) -> Part | None:
        """The part to be written next, the same one until it is; None if there is none."""
        state = self._state
        if state is None:
            return None
        if state is not self._being_written:
            self._being_written = state
            self._parts = cut(*state)
            self._part = next(self._parts)
            self._writing_seconds = 0.0
        return self._part

    def written(self, part: Part, seconds: float) -> None:
        """Note that the part has been written, and how long that took."""
        self._part_seconds = seconds
        self._writing_seconds += seconds
        self._part = next(self._parts, None)
        if self._part is None:
            self._rounds = 1 + 2 * part.number // STALE_PARTS_AT_ONCE if part.number else 0
            self._forget()

    @property
    def has_stale_parts(self) -> bool:
        """Whether the checkpoint just written has replaced one whose parts are to be removed."""
        return self._rounds > 0 and self._state is None

    def stale_parts_removed(self) -> None:
        """Note that some of them have been."""
        self._rounds -= 1

    @property
    def seconds_left(self) -> float:
        """How long writing the newest state will still take, as far as can be told: 0 before anything was written."""
        state = self._state
        if state is None:
            return 0.0
        first = self._part.number if state is self._being_written and self._part is not None else 0
        return self._part_seconds * (-(-len(state[1]) // PART_BYTES) - first)

    @property
    def seconds_of_another(self) -> float:
        """How long taking and writing another state would take: what the last one took."""
        return self._taking_seconds + self._writing_seconds

    def give_up(self) -> None:
        """Write no more of the newest state. The last whole checkpoint stays."""
        self._state = None
        self._forget()

    def _forget(self) -> None:
        if self._state is self._being_written:
            self._state = None
        self._being_written = self._part = None
