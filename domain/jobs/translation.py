"""What a job says, in the terms of the core: its network, its training, the coding of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from backprop.coding.inputs import CodedColumn, Moments
from backprop.coding.learning import CodingPlan
from backprop.network import Layer, Network
from backprop.training import Training
from backprop_client.wire.resolved_jobs import InputColumn, ResolvedJob, TargetColumn
from backprop_client.wire.specs import Activation, LayerSpec, Missing, NetworkSpec, Scaling, TrainingSpec


def network_of(job: ResolvedJob) -> Network:
    """The network that a resolved job trains."""
    return sized_network(job.network, job.sizes)


def sized_network(spec: NetworkSpec, sizes: Sequence[int]) -> Network:
    """The core's network of those layers, with so many units each: (s_1, …, s_nl)."""
    layers = zip(sizes[1:], spec.layers, strict=True)
    return Network(sizes[0], tuple(Layer(units, activation_of(layer)) for units, layer in layers))


def sizes_of(spec: NetworkSpec, inputs: int) -> tuple[int, ...]:
    """(s_1, …, s_nl) of a network whose layers all say how many units they have."""
    return (inputs, *(layer.units or 0 for layer in spec.layers))


def activation_of(layer: LayerSpec) -> Activation:
    """The activation of a layer of a network that is complete, as all of resolved jobs are."""
    assert layer.activation is not None  # noqa: S101  # the job's preset has filled it in
    return layer.activation


def output_activation(network: NetworkSpec) -> Activation:
    """The activation of the output layer of a complete network."""
    return activation_of(network.layers[-1])


def training_of(spec: TrainingSpec) -> Training:
    """The core's training: what it has a field for, under the same name. What does not apply is left at its default."""
    return Training.of(dict(spec))


def coding_plan_of(
    network: NetworkSpec,
    inputs: tuple[InputColumn, ...],
    targets: tuple[TargetColumn, ...],
    scaling: Scaling,
    missing: Missing,
) -> CodingPlan:
    """How a job's columns are to be coded for its network; no targets stand for a reconstruction."""
    return CodingPlan(
        coded_columns=tuple(map(_coded_column, inputs)),
        scaling=scaling,
        missing="impute" if missing == "impute" else "refuse",
        targets=tuple(column.name for column in targets),
        classes=targets[0].classes if targets else None,
        activation=output_activation(network),
    )


def _coded_column(column: InputColumn) -> CodedColumn:
    moments: Moments | None = None
    if column.type == "datetime":
        moments = "time_of_day" if column.times_of_day else "datetime"
    return CodedColumn(column.name, column.categories, moments, column.periods, column.has_gaps)
