"""What the three estimators have in common: parameters, the training by either back end, and what it leaves."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from backprop_client.estimators.backends import backend_of, core_needed
from backprop_client.estimators.examples import Array, Examples, Floats, free_name, names_of_inputs
from backprop_client.estimators.outcome import FITTED, FittedModel, Outcome, attributes_of
from backprop_client.estimators.parameters import check_threads, checked, hidden_units
from backprop_client.estimators.progress import CallbackFollower
from backprop_client.handles.asking import ANY_DATASET
from backprop_client.wire.presets import FEW_ROWS, LENGTHS, Situation, says_how_long
from backprop_client.wire.specs import JobSpec, Task

if TYPE_CHECKING:
    from typing_extensions import Self

SEEDS = 2**31 - 1
"""Seeds. So many there are to draw from where `random_state` is a generator or None."""

TOLERANCE = 3e-3
"""‖∇J‖. Where L-BFGS ends by default: on tables of a few thousand rows it is no worse there than at its end, and has
not begun to chase rounding, which would make weights and repetitions of rows two different trainings."""

_OF_TRAINING = (
    "optimizer",
    "learning_rate",
    "momentum",
    "corrections",
    "weight_decay",
    "iterations",
    "epochs",
    "batch_size",
    "tolerance",
    "cost",
    "sparsity",
    "sparsity_weight",
    "patience",
    "held_out_every",
    "init",
    "epsilon",
    "dtype",
)
"""The parameters that are fields of a training of the same name."""


class BackpropEstimator(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator that trains a network.

    Attributes:
        coefs_: weights of each layer, (units below, units).
        intercepts_: biases, (units,).
        activations_: of each layer.
        n_layers_: layers, the input layer included.
        n_outputs_: units of the output layer.
        n_iter_: updates that the training has made.
        loss_curve_: J(W,b) after k updates, k = 0, 1, …, n_iter_; with mini-batches that of a batch each.
        loss_: J(W,b) at the model.
        validation_loss_curve_: the cost of the held-out rows where they were measured; None if none were held out.
        validation_iterations_: at which iterations that was; likewise.
        best_validation_loss_: the lowest of these; likewise.
        best_iteration_: how many updates the model has had: with `patience` those with the lowest held-out cost.
        stopped_by_: ``tolerance``, ``patience``, ``no_progress`` or ``callback``; None if it went to the end.
        seed_: everything random came from.
        n_features_in_: inputs.
        feature_names_in_: their names, where X had texts as names of its columns.
        job_id_, model_id_, dataset_id_: what the service has made, if it has trained.
    """

    _task: Task
    _usual_of_lbfgs: Mapping[str, Any] = {"tolerance": TOLERANCE}
    """Fields of a training by L-BFGS, where they are not given."""

    hidden: Sequence[int] | int | None
    activation: str | None
    output: str | None
    scaling: str | None
    holdout: float
    random_state: Any
    warm_start: bool
    service: Any
    n_threads: int | None

    n_features_in_: int
    intercepts_: list[Array]
    activations_: list[str]
    n_outputs_: int

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, FITTED)

    @property
    def _is_warm(self) -> bool:
        """Whether `fit` is to go on from the weights of before."""
        return bool(self.warm_start) and self.__sklearn_is_fitted__()

    def _train(self, examples: Examples, follower: CallbackFollower) -> Self:
        """Train on these, in this process or by the service, and keep what comes of it."""
        check_threads(self.n_threads)
        backend = backend_of(self.service, self.n_threads)
        start = self._outcome if self._is_warm else None
        if start is not None:
            examples = examples.named_as(*self._column_names)
        outcome = backend.train(self._job(examples, start), examples, follower, start)
        self._take(outcome, examples)
        follower.end(outcome.model)
        return self

    def _learn_some(self, examples: Examples) -> Self:
        """Go on with one pass through these rows."""
        if self.holdout:
            raise ValueError("partial_fit learns from all rows: no holdout.")
        check_threads(self.n_threads)
        core_needed("partial_fit")
        from backprop_client.estimators import streaming

        if self.__sklearn_is_fitted__():
            examples = examples.named_as(*self._column_names)
        stream = getattr(self, "_stream", None)
        if stream is None:
            model = self._outcome.model.here().trained if self.__sklearn_is_fitted__() else None
            stream = streaming.begun(self._job(examples, None, is_stream=True), examples, model)
        stream = streaming.gone_on(stream, examples, self.n_threads)
        self._take(stream.outcome(), examples)
        self._stream = stream
        return self

    def _take(self, outcome: Outcome, examples: Examples) -> None:
        """Show what a training has left."""
        for name in ("job_id_", "model_id_", "dataset_id_", "_stream"):
            self.__dict__.pop(name, None)
        self._outcome = outcome
        self._column_names = examples.names, tuple(examples.targets)
        for name, value in attributes_of(outcome.model).items():
            setattr(self, name, value)
        self.loss_curve_ = outcome.costs
        self.n_iter_ = len(outcome.costs) - 1
        self.loss_ = outcome.costs[outcome.best_iteration]
        self.validation_iterations_ = list(outcome.held_out) or None
        self.validation_loss_curve_ = list(outcome.held_out.values()) or None
        self.best_validation_loss_ = min(outcome.held_out.values(), default=None)
        self.best_iteration_ = outcome.best_iteration
        self.stopped_by_ = outcome.stopped_by
        self.seed_ = outcome.seed
        for name, value in outcome.ids.items():
            setattr(self, f"{name}_", value)

    def _job(self, examples: Examples, start: Outcome | None, *, is_stream: bool = False) -> JobSpec:
        """What is asked for, as the body of a job. Both back ends read it.

        Raises:
            ValueError: a parameter has a value that it cannot have.
        """
        body: dict[str, Any] = {
            "dataset_id": ANY_DATASET,
            "name": type(self).__name__,
            "tags": ["estimator"],
            "inputs": list(examples.names),
            "targets": list(examples.targets) or None,
            "task": self._task,
            "network": {"layers": self._layers(examples) if start is None else self._layers_of_before()},
            "scaling": self.scaling if start is None else None,  # the weights mean what they meant
            "missing": "refuse",
            "holdout": self.holdout,
            "weights": None if examples.weights is None else examples.weight_name,
            "training": self._training(start),
            "select": False,
        }
        if not self.holdout and getattr(self, "patience", None) is not None:
            raise ValueError("patience looks at the cost of held-out rows: give a holdout, such as 0.1.")
        if not self.holdout and getattr(self, "held_out_every", None) is not None:
            raise ValueError("held_out_every measures held-out rows: give a holdout, such as 0.1.")
        spec = checked(body)
        return spec if is_stream else self._with_the_usual(spec, len(examples.X))

    def _training(self, start: Outcome | None) -> dict[str, Any]:
        given = {name: getattr(self, name, None) for name in _OF_TRAINING}
        training = {name: _plain(value) for name, value in given.items() if value is not None}
        if {"iterations", "epochs"} <= set(training):
            raise ValueError("Give iterations or epochs, and not both.")
        if start is not None:
            for name in ("init", "epsilon"):
                training.pop(name, None)  # they are about random weights
            training.setdefault("weight_decay", start.weight_decay)
        training["seed"] = self._seed()
        return training

    def _with_the_usual(self, spec: JobSpec, rows: int) -> JobSpec:
        """The job, with what an estimator says of a training by L-BFGS where its caller has not."""
        training = spec.training
        held_out = max(1, round(spec.holdout * rows)) if spec.holdout else 0
        if "optimizer" in training.model_fields_set:
            is_lbfgs = training.optimizer == "lbfgs"
        else:
            is_lbfgs = rows - held_out <= FEW_ROWS or training.tolerance > 0
        if not is_lbfgs:
            return spec
        said = training.model_fields_set | (set(LENGTHS) if says_how_long(training) else set())
        usual = {name: value for name, value in self._usual_of_lbfgs.items() if name not in said}
        return spec.model_copy(update={"training": training.model_copy(update=usual)})

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(SEEDS))

    def _layers(self, examples: Examples) -> list[dict[str, Any]]:
        """The layers of the network, of which the output leaves open how many units it has."""
        hidden = [{"units": units, **_said(self.activation)} for units in self._hidden_units(examples)]
        return [*hidden, _said(self.output)]

    def _layers_of_before(self) -> list[dict[str, Any]]:
        """As `_layers`, of a training that goes on: what is left open is as it was, however many rows there are now."""
        units = [len(b) for b in self.intercepts_[:-1]] if self.hidden is None else hidden_units(self.hidden)
        activations = self.activations_[:-1] if self.activation is None else [self.activation] * len(units)
        if len(activations) != len(units):
            raise ValueError(
                f"warm_start goes on with as many hidden layers as before, {len(activations)}, and not {len(units)}."
            )
        hidden = [{"units": count, "activation": each} for count, each in zip(units, activations, strict=True)]
        return [*hidden, {"activation": self.output or self.activations_[-1]}]

    def _hidden_units(self, examples: Examples) -> Sequence[int]:
        if self.hidden is None:
            usual = Situation("auto", self._task, len(examples.X), sparse=False).usual_network
            return [layer.units or 0 for layer in usual.layers[:-1]]
        return hidden_units(self.hidden)

    def _examples(
        self,
        X: Floats,
        targets: dict[str, Array],
        sample_weight: Any,  # noqa: ANN401
        classes: Array | None = None,
        class_weight: Any = None,  # noqa: ANN401
    ) -> Examples:
        names = self._input_names(X)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return Examples(names, X, targets, classes, class_weight, free_name("weight", [*names, *targets]), weights)

    def _input_names(self, X: Floats) -> tuple[str, ...]:
        return names_of_inputs(getattr(self, "feature_names_in_", None), X.shape[1])

    def _checked(self, X: Any) -> Floats:  # noqa: ANN401
        """Rows to answer for."""
        check_is_fitted(self)
        checked: Floats = validate_data(self, X, reset=False, dtype=np.float64)
        return checked

    @property
    def _model(self) -> FittedModel:
        check_is_fitted(self)
        model: FittedModel = getattr(self, FITTED)
        return model


def _said(activation: str | None) -> dict[str, str]:
    return {} if activation is None else {"activation": activation}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A scalar of NumPy's as a number of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def learns_here(estimator: BackpropEstimator) -> bool:
    """Whether `partial_fit` is there: a service takes whole trainings only."""
    if estimator.service is not None:
        raise AttributeError("partial_fit is for trainings in this process: a service trains on whole tables.")
    return True


def positions(values: Array, known: Array) -> NDArray[np.intp]:
    """Where each value stands among those that are known, which are sorted, (m,).

    Raises:
        ValueError: one is not among them.
    """
    found = np.minimum(np.searchsorted(known, values), len(known) - 1)
    strange = known[found] != values
    if strange.any():
        raise ValueError(f"The class {values[strange].tolist()[0]!r} is not among the classes {known.tolist()}.")
    return found
