"""Trainings in this process, on the service's own core: what a job says becomes the same network, examples and bits."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from backprop.activations import output_range
from backprop.coding.class_weights import balanced_weights
from backprop.coding.coding import Coding
from backprop.coding.columns import NumberTable, rows_of_a_batch
from backprop.coding.holdout import held_out_rows, holdout_mask, stratified_mask
from backprop.coding.inputs import CodedColumn
from backprop.coding.learning import ClassesMissing, CodingPlan, ConstantTarget, Learner
from backprop.coding.scaling import CannotBeScaled
from backprop.coding.targets import ClassCoding
from backprop.model import TrainedModel
from backprop.network import Layer, Network, initial_parameters
from backprop.passes.batches import updates_per_epoch
from backprop.passes.lanes import single_threaded_blas
from backprop.passes.usual import usual_pass
from backprop.training import Run, Training
from backprop_client.estimators.examples import Examples
from backprop_client.estimators.outcome import Follower, Layers, Outcome
from backprop_client.wire.presets import Situation
from backprop_client.wire.specs import JobSpec, NetworkSpec, TrainingSpec

Array = NDArray[Any]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class LocalModel:
    """A trained model that answers in this process, with the bits of the service.

    Attributes:
        trained: network, weights and coding.
    """

    trained: TrainedModel

    def here(self) -> LocalModel:
        """As `FittedModel.here`."""
        return self

    def codes(self, X: Floats) -> NDArray[np.intp]:
        """As `FittedModel.codes`."""
        return self._classes.codes(self._outputs(X))

    def scores(self, X: Floats) -> Floats:
        """As `FittedModel.scores`."""
        return self._classes.class_scores(self._outputs(X)).scores

    def numbers(self, X: Floats) -> Floats:
        """As `FittedModel.numbers`."""
        return self._decoded(self._outputs(X))

    def layers(self) -> Layers:
        """As `FittedModel.layers`, as copies."""
        arrays = self.trained.parameters.to_arrays()
        layers = self.trained.parameters.network.layers
        return Layers(
            tuple(arrays[f"W{number}"] for number in range(1, len(layers) + 1)),
            tuple(arrays[f"b{number}"] for number in range(1, len(layers) + 1)),
            tuple(layer.activation for layer in layers),
        )

    def code(self, X: Floats, layer: int) -> Floats:
        """As `FittedModel.code`."""
        with single_threaded_blas():
            return self.trained.forward.between(self._encoded(X), 1, layer).astype(np.float64)

    def decoded(self, code: Floats, layer: int) -> Floats:
        """As `FittedModel.decoded`."""
        with single_threaded_blas():
            return self._decoded(self.trained.forward.between(code, layer, len(self.trained.parameters.network.sizes)))

    @property
    def _classes(self) -> ClassCoding:
        targets = self.trained.coding.targets
        assert isinstance(targets, ClassCoding)  # noqa: S101  # who asks for classes has trained a classifier
        return targets

    def _encoded(self, X: Floats) -> Array:
        inputs = self.trained.coding.inputs
        with np.errstate(over="ignore", invalid="ignore"):
            return inputs.encode(
                NumberTable(inputs.scaled_names, X, has_all=True), self.trained.parameters.vector.dtype
            )

    def _outputs(self, X: Floats) -> Array:
        with single_threaded_blas():
            return self.trained.forward.outputs(self._encoded(X))

    def _decoded(self, outputs: Array) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.column_stack(list(self.trained.coding.targets.decode(outputs).values()))


def train(
    spec: JobSpec, examples: Examples, follower: Follower, start: TrainedModel | None, threads: int | None
) -> Outcome:
    """Carry out a job on these examples.

    Args:
        spec: the job; its dataset does not matter, and its network says how many units each hidden layer has.
        examples: all of them: those that are held out are chosen here.
        follower: is told how it goes.
        start: the model whose weights and coding it starts from; None for random weights.
        threads: at most so many; None for as many as there are processors. Nothing but the time depends on it.

    Raises:
        ValueError: the job does not fit the examples, or J is no longer a finite number.
    """
    held = _held_out(spec, examples)
    situation = _situation(spec, len(examples.X))
    network_spec = situation.complete(spec.network or situation.usual_network)
    plan = coding_plan(spec, network_spec, examples)
    network = network_of(network_spec, plan)
    if start is not None and network != start.parameters.network:
        raise ValueError("The weights to start from are of another network than hidden, activation and output say.")
    resolved = situation.training(spec.training, network_spec, network.inputs)
    training = _training(resolved, int(np.count_nonzero(~held)))
    training.objective().check(network)
    coding = _learned(plan, examples, ~held, network) if start is None else start.coding
    data = Coded.of(coding, examples, resolved.dtype)
    trained, held_out = data.select(~held), data.select(held) if held.any() else None
    pass_ = usual_pass(
        network,
        trained.X,
        trained.Y,
        training.objective(),
        batch_size=training.batch_size,
        seed=training.seed,
        threads=threads_of(threads),
        X_held=None if held_out is None else held_out.X,
        Y_held=None if held_out is None else held_out.Y,
        weights=trained.weights_in_cost(trained, "training"),
        weights_held=None if held_out is None else held_out.weights_in_cost(trained, "held-out"),
    )
    parameters = (
        initial_parameters(
            network, init=resolved.init, epsilon=resolved.epsilon, seed=resolved.seed, dtype=resolved.dtype
        )
        if start is None
        else start.parameters.astype(resolved.dtype)
    )
    run = Run(training, pass_, parameters=parameters)
    follower.begin(training.iterations, pass_.updates_per_epoch)
    costs, held_out_costs, stopped_by = _followed(run, coding, follower)
    return Outcome(
        model=LocalModel(TrainedModel(run.best_parameters.copy(), coding)),
        costs=costs,
        held_out=held_out_costs,
        best_iteration=run.best_iteration,
        stopped_by=stopped_by or run.stopped,
        seed=training.seed,
        weight_decay=training.weight_decay,
    )


def _followed(run: Run, coding: Coding, follower: Follower) -> tuple[list[float], dict[int, float], str | None]:
    """Train to the end: J of all iterations, that of the held-out rows, and who has stopped it if somebody has."""
    costs: list[float] = []
    held_out: dict[int, float] = {}

    def model() -> LocalModel:
        return LocalModel(TrainedModel(run.parameters.copy(), coding))

    with closing(run.records()) as records:  # else BLAS might stay as it is while training
        for record in records:
            refuse_divergence(record.cost, record.iteration)
            costs.append(record.cost)
            if record.held_out_cost is not None:
                held_out[record.iteration] = record.held_out_cost
            if follower.record(record.iteration, model):
                return costs, held_out, "callback"
    return costs, held_out, None


def refuse_divergence(cost: float, iteration: int) -> None:
    """Raise ValueError unless J is a finite number."""
    if not np.isfinite(cost):
        raise ValueError(
            f"J is not a finite number at iteration {iteration}. Try a smaller learning_rate; with linear or relu "
            "units also a smaller epsilon, or scaled inputs."
        )


def threads_of(threads: int | None) -> int:
    """How many threads to train with: within a process of joblib's that is one, unless it is said."""
    return max(1, effective_n_jobs(-1) if threads is None else threads)


def _situation(spec: JobSpec, rows: int) -> Situation:
    return Situation(
        spec.training.preset,
        spec.task or "regression",
        rows - held_out_rows(rows, spec.holdout),
        sparse=spec.training.sparsity_weight > 0,
    )


def _held_out(spec: JobSpec, examples: Examples) -> Mask:
    """The rows that are held out, (m,): of each class its share, or by chance."""
    seed = spec.training.seed
    if examples.classes is not None and spec.holdout:
        (codes,) = examples.targets.values()
        return stratified_mask(codes, len(examples.classes), spec.holdout, seed)
    return holdout_mask(len(examples.X), spec.holdout, seed)


def coding_plan(spec: JobSpec, network: NetworkSpec, examples: Examples) -> CodingPlan:
    """How the columns are coded for a network whose activations are known.

    Raises:
        ValueError: a reconstruction's output could not reproduce its inputs.
    """
    activation = network.layers[-1].activation or "linear"
    bounds = output_range(activation) if spec.task == "reconstruction" else None
    scaling = spec.scaling or ("standardize" if bounds is None else "min_max")
    if bounds is not None and scaling != "min_max":
        low, high = bounds
        if scaling == "standardize" or examples.X.min() < low or examples.X.max() > high:
            raise ValueError(
                f"A {activation} output lies in [{low:g}, {high:g}] and cannot reproduce these inputs: use scaling "
                "min_max, or a linear output."
            )
    return CodingPlan(
        coded_columns=tuple(map(CodedColumn, examples.names)),
        scaling=scaling,
        missing="refuse",
        targets=tuple(examples.targets),
        classes=None if examples.classes is None else tuple(range(len(examples.classes))),
        activation=activation,
    )


def network_of(spec: NetworkSpec, plan: CodingPlan) -> Network:
    """The core's network of those layers."""
    units = [*(layer.units or 0 for layer in spec.layers[:-1]), plan.output_width]
    layers = tuple(Layer(count, each.activation or "") for count, each in zip(units, spec.layers, strict=True))
    return Network(plan.input_width, layers)


def _training(spec: TrainingSpec, m: int) -> Training:
    """The core's training on m rows."""
    if spec.epochs is not None:
        spec = spec.model_copy(update={"iterations": spec.epochs * updates_per_epoch(m, spec.batch_size)})
    return Training.of(dict(spec))


def _learned(plan: CodingPlan, examples: Examples, trained: Mask, network: Network) -> Coding:
    """What the training rows teach of the coding. They come in batches as the service's do, for the last bits."""
    learner = Learner(plan)
    columns = examples.columns
    at_once = rows_of_a_batch(len(columns), network)
    for start in range(0, len(examples.X), at_once):
        here = trained[start : start + at_once]
        batch = {name: values[start : start + at_once] for name, values in columns.items()}
        if not here.all():
            batch = {name: values[here] for name, values in batch.items()}
        learner.add(batch, None if examples.weights is None else batch[examples.weight_name])
    try:
        return learner.coding()
    except (CannotBeScaled, ClassesMissing, ConstantTarget) as error:
        raise ValueError(f"The rows cannot be learned from: {error}.") from error


@dataclass(frozen=True)
class Coded:
    """Rows as a network sees them.

    Attributes:
        X: (m, inputs).
        Y: (m, outputs); the same object as X for a reconstruction.
        weights: what each row weighs by itself, (m,); None if all weigh alike.
        codes: the class of each row, (m,); None where classes have no weights.
        class_weight: as the examples have it.
    """

    X: Array
    Y: Array
    weights: Floats | None
    codes: NDArray[np.intp] | None
    class_weight: Literal["balanced"] | tuple[float, ...] | None

    @classmethod
    def of(cls, coding: Coding, examples: Examples, dtype: str) -> Coded:
        """The examples, coded in that precision."""
        columns = examples.columns
        X = coding.inputs.encode(columns, dtype)
        Y = X if not examples.targets else coding.targets.encode(columns, dtype)
        codes = None if examples.class_weight is None else next(iter(examples.targets.values()))
        return cls(X, Y, examples.weights, codes, examples.class_weight)

    def select(self, rows: Mask) -> Coded:
        """Some of the rows."""
        if rows.all():
            return self
        X = self.X[rows]
        return Coded(
            X,
            X if self.Y is self.X else self.Y[rows],
            None if self.weights is None else self.weights[rows],
            None if self.codes is None else self.codes[rows],
            self.class_weight,
        )

    def weights_in_cost(self, trained: Coded, which: str) -> Floats | None:
        """What the rows weigh in J: their own weight times that of their class; None if all weigh alike.

        Args:
            trained: the training rows, which tell what `balanced` comes to.
            which: rows these are, for people.

        Raises:
            ValueError: none weighs anything.
        """
        weights = self.weights
        if self.codes is not None and trained.codes is not None:
            weights = self._weights_of_classes(trained.codes)[self.codes]
            if self.weights is not None:
                weights *= self.weights
        if weights is not None and not weights.any():
            raise ValueError(f"Every {which} row has the weight zero: nothing would be learned.")
        return weights

    def _weights_of_classes(self, codes: NDArray[np.intp]) -> Floats:
        """The weight of each class, the training rows being of these."""
        if self.class_weight == "balanced":
            return balanced_weights(np.bincount(codes))
        return np.array(self.class_weight)


def model_of(network: Mapping[str, Any], coding: Mapping[str, Any], weights: Mapping[str, Array]) -> LocalModel:
    """A model of the service, from what it stores of it."""
    return LocalModel(TrainedModel.from_stored(network, coding, weights))
