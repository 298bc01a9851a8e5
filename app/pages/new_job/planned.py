"""What the job of a form would be, told in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.pages.pictures.network import network_picture
from app.pages.wording import count, duration, file_size, number, percent, plural
from backprop_client.wire.jobs import JobPlan
from backprop_client.wire.resolved_jobs import LeftOut, Selection


@dataclass(frozen=True)
class PlannedLayer:
    """A layer in the table beside the picture.

    Attributes:
        name: which one it is.
        units: how many it has.
        activation: of its units; empty for the input layer.
        parameters: weights and biases that lead to it.
    """

    name: str
    units: int
    activation: str
    parameters: int


@dataclass(frozen=True)
class Planned:
    """What a job would be, and what it would take.

    Attributes:
        in_short: that in a sentence.
        picture: of the network.
        layers: the same as a table.
        facts: what is filled in, each with its name.
        trials: what is tried before the training; None for nothing.
        left_out: columns that are no inputs, and why.
    """

    in_short: str
    picture: Markup
    layers: Sequence[PlannedLayer]
    facts: Sequence[tuple[str, str]]
    trials: str | None
    left_out: Sequence[LeftOut]


def planned(plan: JobPlan) -> Planned:
    """The plan as people read it."""
    activations = [str(layer.activation) for layer in plan.network.layers]
    return Planned(
        in_short=f"{plural(plan.parameters, 'parameter')}, about {duration(plan.estimated_seconds)} of training.",
        picture=network_picture(plan.sizes, activations),
        layers=_layers(plan.sizes, activations),
        facts=_facts(plan),
        trials=None if plan.selection is None else _trials(plan.selection),
        left_out=plan.left_out,
    )


def _layers(sizes: Sequence[int], activations: Sequence[str]) -> list[PlannedLayer]:
    layers = [PlannedLayer("Input", sizes[0], "", 0)]
    for at, activation in enumerate(activations, start=1):
        name = "Output" if at == len(activations) else f"Hidden {at}"
        layers.append(PlannedLayer(name, sizes[at], activation, (sizes[at - 1] + 1) * sizes[at]))
    return layers


def _facts(plan: JobPlan) -> list[tuple[str, str]]:
    training = plan.training
    facts = [
        ("Task", plan.task),
        ("Rows", count(plan.rows)),
        ("Inputs", f"{plural(len(plan.inputs), 'column')}, {plural(plan.sizes[0], 'unit')}"),
        ("Memory", f"at most {file_size(plan.estimated_bytes)}"),
        ("Optimizer", training.optimizer.replace("_", " ")),
        ("Iterations", count(training.iterations)),
    ]
    if training.epochs is not None:
        facts.append(("Epochs", count(training.epochs)))
    if training.learning_rate is not None:
        facts.append(("α", number(training.learning_rate)))
    if training.batch_size is not None:
        facts.append(("Batch size", count(training.batch_size)))
    facts += [
        ("λ", number(training.weight_decay) if plan.selection is None else "chosen by the trials"),
        ("Cost", str(training.cost).replace("_", " ")),
    ]
    if plan.holdout:
        facts.append(("Held out", percent(plan.holdout)))
    return facts


def _trials(selection: Selection) -> str:
    networks = len({candidate.layers for candidate in selection.candidates})
    what = "weight decays" if networks == 1 else f"{count(networks)} networks with several weight decays"
    how = "" if networks == 1 else " The picture shows the largest."
    return (
        f"Before the training, {what} are tried on {plural(selection.rows, 'row')}: "
        f"{plural(len(selection.candidates), 'candidate')} in all. The best is taken.{how}"
    )
