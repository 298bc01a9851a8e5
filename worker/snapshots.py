"""Which iterations an attempt keeps snapshots of, and those that are still to be written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from backprop.coding.coding import Coding
from backprop.network import Parameters
from backprop.training import Record, Run
from domain.jobs.snapshots import LARGEST_NETWORK, Snapshot, iterations_to_keep
from infra.codec import to_bytes

NEVER = -1


class _Taken(NamedTuple):
    iteration: int
    cost: float
    parameters: Parameters


class Snapshots:
    """Copies of an attempt's weights on their way to the database.

    The training thread copies them, another thread has them written. So a snapshot costs the training a copy of few
    numbers, and every other iteration a comparison.

    Attributes:
        most: how many the job may have; 0 for none.
        next_at: the iteration that the next one is of, `NEVER` if there is to be none.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.next_at = NEVER
        self._left: list[int] = []
        self._coding = ""
        self._taken: list[_Taken] = []
        self._last: int | None = None

    def plan(self, iterations: int, parameters: Parameters, coding: Coding, checkpoint: int | None) -> None:
        """Decide on the iterations.

        Args:
            iterations: how many the job is to do.
            parameters: of its network; a large one gets no snapshots.
            coding: of its columns.
            checkpoint: the iteration that the attempt goes on from; None if it begins.
        """
        if parameters.vector.size > LARGEST_NETWORK:
            self.most = 0
        first = 0 if checkpoint is None else checkpoint + 1
        self._left = [k for k in reversed(iterations_to_keep(iterations, self.most)) if k >= first]
        self._coding = json.dumps(coding.to_json())
        self._look_ahead()

    def take(self, run: Run, record: Record) -> None:
        """Copy the weights of a run that is suspended after this record."""
        self._taken.append(_Taken(record.iteration, record.cost, run.parameters.copy()))
        self._last = record.iteration
        self._look_ahead()

    def take_the_end(self, run: Run, record: Record) -> None:
        """Copy those with which a training ends before its last iteration, if it does."""
        if self.next_at != NEVER and self._last != record.iteration:
            self.take(run, record)

    def waiting(self) -> Sequence[Snapshot]:
        """Those to be written, the oldest first. They stay."""
        return tuple(
            Snapshot(taken.iteration, taken.cost, self._coding, to_bytes(taken.parameters.to_arrays()))
            for taken in self._taken[:]
        )

    def written(self, count: int) -> None:
        """Forget so many of the oldest."""
        del self._taken[:count]

    def __len__(self) -> int:
        """How many are to be written."""
        return len(self._taken)

    def _look_ahead(self) -> None:
        self.next_at = self._left.pop() if self._left else NEVER
