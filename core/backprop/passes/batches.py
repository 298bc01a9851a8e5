"""Mini-batches: J and ∇J on a few examples at a time, other ones at every evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop.network import Parameters
from backprop.objective import Cost, Objective
from backprop.passes.backpropagation import Backpropagation, check_data
from backprop.passes.lanes import Crew
from backprop.passes.protocol import HeldOut

Array = NDArray[Any]


def updates_per_epoch(m: int, batch_size: int | None) -> int:
    """How many updates take each of m examples once: ⌈m / batch_size⌉, and 1 where every update takes all."""
    return 1 if batch_size is None else -(-m // batch_size)


class MiniBatches:
    """The pass that evaluates J and ∇J on mini-batches, one after the other, of examples in shuffled order.

    A round through m examples takes ⌈m / size⌉ batches, of which the last may be smaller. Round p = 0, 1, … goes by
    ``numpy.random.default_rng([seed, p]).permutation(m)``. So the number of a batch tells which examples are in it,
    and there is no generator whose state would have to be kept.

    Args:
        parameters: read at every evaluation.
        gradient: written by every evaluation.
        X: (m, inputs), of the parameters' dtype; may be mapped. A batch's rows are copied from it.
        Y: (m, outputs), likewise.
        objective: what J is, of a batch.
        crew: the threads that share the work.
        size: examples of a batch, below m.
        seed: of the shuffling.
        held_out: measures J of the held-out examples, if there are any.
        weights: w of each example, (m,), likewise, of mean 1; None for ones. A batch of n examples has the cost
            (1/n) Σ w J(W,b;x,y), whatever their weights, so that its gradient is that of J on average.

    Attributes:
        parameters: those that were given.
        vector: all of them, (n,).
        gradient: ∇J of the last batch, (n,).
        evaluations: how many there have been, which is the number of the next batch.
        held_out: what was given.
        updates_per_epoch: ⌈m / size⌉, the batches of a round.

    Raises:
        ValueError: shapes, dtypes or an objective that do not fit the network.
    """

    def __init__(
        self,
        parameters: Parameters,
        gradient: Parameters,
        X: Array,
        Y: Array,
        objective: Objective,
        crew: Crew,
        *,
        size: int,
        seed: int,
        held_out: HeldOut | None = None,
        weights: Array | None = None,
    ) -> None:
        check_data(parameters.network, parameters.vector.dtype, X, Y, weights)
        self.evaluations = 0
        self.updates_per_epoch = updates_per_epoch(len(X), size)
        self.held_out = held_out
        self.parameters = parameters
        self.vector = parameters.vector
        self.gradient = gradient.vector
        self._X = X
        self._Y = Y
        self._weights = weights
        self._m = len(X)
        self._size = size
        self._seed = seed
        self._rounds_begun = -1
        self._order = np.empty(0, np.intp)
        self._batch_X = np.empty((size, X.shape[1]), X.dtype)
        self._batch_Y = self._batch_X if Y is X else np.empty((size, Y.shape[1]), Y.dtype)
        self._batch_weights = None if weights is None else np.empty(size, weights.dtype)
        self._backpropagations: dict[int, Backpropagation] = {}
        for rows in {size, self._m % size or size}:
            some_X = self._batch_X[:rows]
            some_Y = some_X if Y is X else self._batch_Y[:rows]
            some_weights = None if self._batch_weights is None else self._batch_weights[:rows]
            self._backpropagations[rows] = Backpropagation(
                parameters, gradient, some_X, some_Y, objective, crew, weights=some_weights
            )

    def evaluate(self) -> Cost:
        """J of the next batch at the current parameters; leaves ∇J in the gradient."""
        rows = self._next_rows()
        count = len(rows)
        np.take(self._X, rows, axis=0, out=self._batch_X[:count], mode="clip")
        if self._batch_Y is not self._batch_X:
            np.take(self._Y, rows, axis=0, out=self._batch_Y[:count], mode="clip")
        if self._weights is not None and self._batch_weights is not None:
            np.take(self._weights, rows, out=self._batch_weights[:count], mode="clip")
        backpropagation = self._backpropagations[count]
        backpropagation.examples_changed()
        return backpropagation.evaluate()

    def _next_rows(self) -> NDArray[np.intp]:
        rounds, place = divmod(self.evaluations, self.updates_per_epoch)
        self.evaluations += 1
        if rounds != self._rounds_begun:
            self._order = np.empty(0, np.intp)  # one order at a time: with many examples it takes much memory
            self._order = np.random.default_rng([self._seed, rounds]).permutation(self._m)
            self._rounds_begun = rounds
        return self._order[place * self._size : (place + 1) * self._size]
