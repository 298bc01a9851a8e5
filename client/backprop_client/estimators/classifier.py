"""A classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from backprop_client.estimators.base import BackpropEstimator, learns_here, positions
from backprop_client.estimators.examples import Array, Floats, free_name, names_of_targets
from backprop_client.estimators.progress import CallbackFollower

if TYPE_CHECKING:
    from typing_extensions import Self


class BackpropClassifier(ClassifierMixin, BackpropEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network that tells classes apart. `docs/estimators.md` describes the parameters, `BackpropEstimator` the rest.

    Attributes:
        classes_: sorted, (classes,).
    """

    _task = "classification"
    classes_: Array

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
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
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
        self.class_weight = class_weight
        self.random_state = random_state
        self.warm_start = warm_start
        self.n_threads = n_threads
        self.service = service

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: ANN401
        """Train.

        Args:
            X: (m, inputs), numbers without gaps.
            y: (m,), the class of each row: numbers, texts or booleans.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        given, is_warm = X, self._is_warm
        X, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, reset=not is_warm)
        labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"y holds one class only, {classes.tolist()[0]!r}: a classifier needs 2 classes or more.")
        if is_warm and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start goes on with the classes of before, {self.classes_.tolist()}; y has {classes.tolist()}."
            )
        self.classes_ = classes
        names = names_of_targets(y, 1, self._input_names(X), "class")
        examples = self._examples(
            X, {names[0]: positions(labels, classes)}, sample_weight, classes, self._weights_of_classes()
        )
        return self._train(examples, CallbackFollower(self, given, y, examples.weights))

    @available_if(learns_here)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: ANN401
        """Go on with one pass through these rows, in mini-batches. The first rows teach the scaling.

        Args:
            X: (m, inputs), numbers without gaps.
            y: (m,), the class of each row.
            classes: all that there will be; needed for the first call.
            sample_weight: how much each row counts, (m,), from 0 up. None: all alike.

        Raises:
            ValueError: parameters or rows that cannot be trained with.
        """
        is_first = not self.__sklearn_is_fitted__()
        X, labels = validate_data(self, X, y, dtype=np.float64, reset=is_first)
        labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        if is_first and classes is None:
            raise ValueError("The first call of partial_fit needs all classes: classes=[…].")
        if classes is not None:
            given = np.unique(np.asarray(classes))
            if not is_first and not np.array_equal(given, self.classes_):
                raise ValueError(f"classes are {given.tolist()}, and were {self.classes_.tolist()}.")
            if len(given) < 2:
                raise ValueError("A classifier needs 2 classes or more.")
            self.classes_ = given
        if isinstance(self.class_weight, str):
            raise ValueError('class_weight "balanced" needs all rows at once: give each class a weight.')
        name = free_name("class", self._input_names(X))
        codes = positions(labels, self.classes_)
        return self._learn_some(
            self._examples(X, {name: codes}, sample_weight, self.classes_, self._weights_of_classes())
        )

    def predict(self, X: Any) -> Array:  # noqa: ANN401
        """The class of each row, (m,)."""
        X = self._checked(X)
        predicted: Array = self.classes_[self._model.codes(X)]
        return predicted

    def predict_proba(self, X: Any) -> Floats:  # noqa: ANN401
        """The probability of each class, (m, classes).

        It is the network's own with the output softmax, as it is by default, and with two classes that share a unit.
        Else these are its scores, brought to the sum 1.
        """
        scores = self._model.scores(self._checked(X))
        sums = scores.sum(axis=1, keepdims=True)
        even = np.full_like(scores, 1 / scores.shape[1])
        probabilities: Floats = np.divide(scores, sums, out=even, where=sums > 0)
        return probabilities

    def predict_log_proba(self, X: Any) -> Floats:  # noqa: ANN401
        """The logarithm of `predict_proba`, (m, classes)."""
        with np.errstate(divide="ignore"):
            logarithms: Floats = np.log(self.predict_proba(X))
        return logarithms

    def _weights_of_classes(self) -> Literal["balanced"] | tuple[float, ...] | None:
        """The weight of each class, in their order.

        Raises:
            ValueError: it is none, or says a class that there is not, and lacks one that there is.
        """
        given = self.class_weight
        if given is None or (isinstance(given, str) and given == "balanced"):
            return given
        if not isinstance(given, Mapping):
            raise ValueError('class_weight is a dict from class to weight, "balanced" or None.')
        classes = self.classes_.tolist()
        left = [label for label in classes if label not in given]
        strange = [label for label in given if label not in classes]
        if left and strange:
            raise ValueError(f"class_weight names {strange[0]!r}, which is no class, and lacks {left[0]!r}.")
        try:
            weights = tuple(float(given.get(label, 1.0)) for label in classes)
        except (TypeError, ValueError) as error:
            raise ValueError(f"class_weight has something that is no number: {error}.") from error
        if not all(0 <= weight < np.inf for weight in weights) or not any(weights):
            raise ValueError("Weights of classes are finite numbers from 0 up, and one of them is above 0.")
        return weights
