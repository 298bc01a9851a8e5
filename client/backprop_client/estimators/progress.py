"""scikit-learn's callbacks, told of a training as it goes.

A task of `fit` is an epoch with mini-batches, and else an iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backprop_client.estimators.outcome import FittedModel, attributes_of


class CallbackFollower:
    """Tells the callbacks of an estimator how its training goes.

    Args:
        estimator: whose.
        X: as the caller gave it, with the names that its columns may have.
        y: likewise.
        sample_weight: likewise.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:  # noqa: ANN401
        self._estimator = estimator
        self._data = {"X": X, "y": y}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._root: Any = None
        self._task: Any = None
        self._every = 1
        self._iterations = 0
        # Without anybody to be told, thousands of contexts would be made for nobody.
        self.is_heard = bool(getattr(estimator, "_skl_callbacks", ()))

    def begin(self, iterations: int, every: int) -> None:
        """As `Follower.begin`."""
        self._iterations, self._every = iterations, every
        tasks = -(-iterations // every)
        self._root = self._estimator._init_callback_context(max_subtasks=tasks)  # noqa: SLF001  # theirs, for this
        self._root.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def record(self, iteration: int, model: Callable[[], FittedModel] | None) -> bool:
        """As `Follower.record`."""
        if not self.is_heard:
            return False
        stops = False
        if self._task is not None and (iteration % self._every == 0 or iteration == self._iterations):
            stops = bool(self._task.call_on_fit_task_end(estimator=self._estimator, **self._told(model)))
            self._task = None
        if self._task is None and not stops and iteration < self._iterations:
            name = "iteration" if self._every == 1 else "epoch"
            self._task = self._root.subcontext(task_name=name)
            self._task.call_on_fit_task_begin(estimator=self._estimator, **self._told(model))
        return stops

    def end(self, model: FittedModel) -> None:
        """The training has ended, and has left this model."""
        if self._task is not None:  # begun, and then there was nothing more to do
            self._task.call_on_fit_task_end(estimator=self._estimator)
        self._root.call_on_fit_task_end(estimator=self._estimator, **self._told(lambda: model))

    def _told(self, model: Callable[[], FittedModel] | None) -> dict[str, Any]:
        if model is None:
            return self._data
        return {**self._data, "reconstruction_attributes": lambda: attributes_of(model())}
