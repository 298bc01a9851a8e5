"""An autoencoder: a network that reproduces its inputs, and what it makes of them on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import with_callbacks
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from backprop_client.estimators.base import BackpropEstimator, learns_here
from backprop_client.estimators.examples import Examples, Floats
from backprop_client.estimators.progress import CallbackFollower

if TYPE_CHECKING:
    from typing_extensions import Self


ITERATIONS = 50
"""Updates of L-BFGS, by default. What follows lowers J little, and after a hundred more the last digits of the rows
decide where an autoencoder goes."""


class BackpropAutoencoder(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]  # scikit-learn has no types
    TransformerMixin,  # type: ignore[misc]  # as above
    BackpropEstimator,
):
    """A network that reproduces its inputs. Its code is the hidden layer with the fewest units.

    `docs/estimators.md` describes the parameters, `BackpropEstimator` the rest.
    """

    _task = "reconstruction"
    _usual_of_lbfgs: Mapping[str, Any] = {"iterations": ITERATIONS}

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
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ANN401, ARG002
        """Train.

        Args:
            X: (m, inputs), numbers without gaps.
            y: not looked at.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        given = X
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2, reset=not self._is_warm)
        examples = self._examples(X, {}, sample_weight)
        return self._train(examples, CallbackFollower(self, given, None, examples.weights))

    @available_if(learns_here)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ANN401, ARG002
        """Go on with one pass through these rows, in mini-batches. The first rows teach the scaling.

        Args:
            X: (m, inputs), numbers without gaps.
            y: not looked at.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        X = validate_data(self, X, dtype=np.float64, reset=not self.__sklearn_is_fitted__())
        return self._learn_some(self._examples(X, {}, sample_weight))

    def transform(self, X: Any) -> Floats:  # noqa: ANN401
        """The code of each row: the activations of the hidden layer with the fewest units, (m, units)."""
        return self._model.code(self._checked(X), self._code_layer)

    def inverse_transform(self, X: Any) -> Floats:  # noqa: ANN401
        """What the network makes of codes, (m, inputs), in the units of the inputs.

        Args:
            X: codes, (m, units).
        """
        check_is_fitted(self)
        code = check_array(X, dtype=np.float64)
        if code.shape[1] != self._n_features_out:
            raise ValueError(f"A code has {self._n_features_out} values, and X has {code.shape[1]} columns.")
        return self._model.decoded(code, self._code_layer)

    def predict(self, X: Any) -> Floats:  # noqa: ANN401
        """Each row as the network reproduces it, (m, inputs)."""
        return self._model.numbers(self._checked(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ANN401, ARG002
        """R² of the reproduced inputs, the mean over them; 1 is the best."""
        X = self._checked(X)
        return float(r2_score(X, self._model.numbers(X), sample_weight=sample_weight))

    @property
    def _code_layer(self) -> int:
        """Which layer is the code; 2 is the first hidden one."""
        units = [len(b) for b in self.intercepts_[:-1]]
        return 2 + units.index(min(units))

    @property
    def _n_features_out(self) -> int:
        return len(self.intercepts_[self._code_layer - 2])

    def _hidden_units(self, examples: Examples) -> Sequence[int]:
        if self.hidden is None:
            return (max(1, examples.X.shape[1] // 2),)
        hidden = super()._hidden_units(examples)
        if not hidden:
            raise ValueError("The code is a hidden layer: hidden needs one at least.")
        return hidden
