"""A regressor of one target or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from backprop_client.estimators.base import BackpropEstimator, learns_here
from backprop_client.estimators.examples import Array, Floats, names_of_targets
from backprop_client.estimators.progress import CallbackFollower

if TYPE_CHECKING:
    from typing_extensions import Self


class BackpropRegressor(RegressorMixin, BackpropEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network that predicts numbers. `docs/estimators.md` describes the parameters, `BackpropEstimator` the rest."""

    _task = "regression"

    def __init__(
        self,
        hidden: Sequence[int] | int | None = None,
        *,
        activation: str | None = None,
        output: str | None = None,
        cost: str | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        momentum: float | None = None,
        corrections: int | None = None,
        weight_decay: float | None = None,
        sparsity_weight: float | None = None,
        sparsity: float | None = None,
        iterations: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        tolerance: float | None = None,
        holdout: float = 0.0,
        patience: int | None = None,
        held_out_every: int | None = None,
        scaling: str | None = None,
        init: str | None = None,
        epsilon: float | None = None,
        dtype: str | None = None,
        random_state: Any = 0,  # noqa: ANN401
        warm_start: bool = False,
        n_threads: int | None = None,
        service: Any = None,  # noqa: ANN401
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.output = output
        self.cost = cost
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.corrections = corrections
        self.weight_decay = weight_decay
        self.sparsity_weight = sparsity_weight
        self.sparsity = sparsity
        self.iterations = iterations
        self.epochs = epochs
        self.batch_size = batch_size
        self.tolerance = tolerance
        self.holdout = holdout
        self.patience = patience
        self.held_out_every = held_out_every
        self.scaling = scaling
        self.init = init
        self.epsilon = epsilon
        self.dtype = dtype
        self.random_state = random_state
        self.warm_start = warm_start
        self.n_threads = n_threads
        self.service = service

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: ANN401
        """Train.

        Args:
            X: (m, inputs), numbers without gaps.
            y: (m,) or (m, targets), the numbers to predict.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        given, is_warm = X, self._is_warm
        X, targets = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2, reset=not is_warm
        )
        columns = self._columns(targets, goes_on=is_warm)
        names = names_of_targets(y, columns.shape[1], self._input_names(X), "target")
        examples = self._examples(X, {name: columns[:, place] for place, name in enumerate(names)}, sample_weight)
        return self._train(examples, CallbackFollower(self, given, y, examples.weights))

    @available_if(learns_here)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: ANN401
        """Go on with one pass through these rows, in mini-batches. The first rows teach the scaling.

        Args:
            X: (m, inputs), numbers without gaps.
            y: (m,) or (m, targets), the numbers to predict.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        is_first = not self.__sklearn_is_fitted__()
        X, targets = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=is_first)
        columns = self._columns(targets, goes_on=not is_first)
        names = names_of_targets(None, columns.shape[1], self._input_names(X), "target")
        return self._learn_some(
            self._examples(X, {name: columns[:, place] for place, name in enumerate(names)}, sample_weight)
        )

    def _columns(self, targets: Array, *, goes_on: bool) -> Floats:
        """The targets as columns, (m, targets).

        Raises:
            ValueError: the training is to go on, and had others.
        """
        columns: Floats = targets.reshape(len(targets), -1).astype(np.float64)
        if goes_on and columns.shape[1] != self.n_outputs_:
            raise ValueError(f"The number of targets in y is {columns.shape[1]}, and was {self.n_outputs_} before.")
        self._is_flat = targets.ndim == 1
        return columns

    def predict(self, X: Any) -> Floats:  # noqa: ANN401
        """The targets of each row, of the form of y: (m,) or (m, targets)."""
        X = self._checked(X)
        numbers = self._model.numbers(X)
        return numbers[:, 0] if self._is_flat else numbers
