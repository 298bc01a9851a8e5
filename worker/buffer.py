"""Records on their way from the training thread to the database."""

from __future__ import annotations

import threading
from collections.abc import Callable

from backprop.training import Record

MOST_BUFFERED = 500_000
"""Records. So many are held while the database is away. Beyond that training waits, so that the memory does not
fill."""


class Buffer:
    """Records in order: the training thread appends, the flushing thread reads from the front and removes there.

    The operations of a list are atomic, so that appending takes no lock.

    Attributes:
        add: appends a record.
    """

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.add = self._records.append
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._records)

    @property
    def is_too_full(self) -> bool:
        """Whether training has to wait."""
        return len(self._records) > MOST_BUFFERED

    def first(self, rows_at_most: int) -> list[Record]:
        """The oldest records. They stay."""
        return self._records[:rows_at_most]

    def remove_first(self, rows: int) -> None:
        """Forget so many of the oldest records."""
        del self._records[:rows]

    def wait_for_room(self, given_up: Callable[[], bool]) -> None:
        """Wait until there is room, or until waiting makes no sense any more."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._records) < MOST_BUFFERED or given_up())

    def look_again(self) -> None:
        """Have who waits for room look whether there is some."""
        with self._changed:
            self._changed.notify_all()
