"""A job that starts from a model's weights: what it takes over from the model, so that they mean the same as before.

The weights fit one network, and the columns coded as they were when they were trained. So the job has the model's
network, columns, task, scaling and missing, whether it names them or not, and the worker codes the rows with the
model's own preprocessing. Its dataset may be another one.
"""

from __future__ import annotations

from typing import NamedTuple

from backprop_client.wire.columns import Column, Labels
from backprop_client.wire.resolved_jobs import InputColumn, ResolvedJob, TargetColumn
from backprop_client.wire.specs import JobSpec, NetworkSpec, TrainingSpec
from domain.jobs.new_batches import category_of
from domain.jobs.problems import Problems

_NUMBERS = ("integer", "number")


class Inherited(NamedTuple):
    """A request and its dataset's columns as they are for a job that starts from a model.

    `reread` names the columns that were read as another type than the model's.
    """

    spec: JobSpec
    network: NetworkSpec
    columns: tuple[Column, ...]
    reread: tuple[str, ...]


def inherit(
    spec: JobSpec, network: NetworkSpec | None, columns: tuple[Column, ...], trained_by: ResolvedJob
) -> Inherited:
    """Fill in what the model decides.

    Args:
        spec: the request.
        network: the one that it gives or names, if it does.
        columns: of the dataset.
        trained_by: the job that trained the model.

    Returns:
        The request, complete; and the columns with the types and the categories of the model, of which those in the
        dataset may be a part. Columns that the dataset lacks are found missing later.

    Raises:
        InvalidRequest: the request says something else than the model (``differs_from_model``), a column is of another
            type than the model's (``column_type_differs``) or has values that the model does not know
            (``unknown_category``).
    """
    problems = Problems()
    _check_request(spec, trained_by, problems)
    if network is not None and not _is_network_of(network, trained_by):
        sizes = "-".join(map(str, trained_by.sizes))
        problems.add(
            "differs_from_model",
            "/network_id" if spec.network is None else "/network",
            f"The model's network has {sizes} units and activations of its own: leave the network out to have it.",
        )
    known = known_columns(columns, trained_by.inputs, trained_by.targets, problems, whose="the model")
    if problems:
        raise problems.refusal()
    complete = spec.model_copy(
        update={
            "inputs": tuple(column.name for column in trained_by.inputs),
            "targets": tuple(column.name for column in trained_by.targets) or None,
            "task": trained_by.task,
            "scaling": trained_by.scaling,
            "missing": trained_by.missing,
            "training": _with_decay(spec.training, trained_by.training.weight_decay),
        }
    )
    as_theirs = tuple(known.get(column.name, column) for column in columns)
    reread = tuple(ours.name for ours, theirs in zip(columns, as_theirs, strict=True) if ours.type != theirs.type)
    return Inherited(complete, trained_by.network, as_theirs, reread)


def _check_request(spec: JobSpec, trained_by: ResolvedJob, problems: Problems) -> None:
    of_model = {
        "inputs": tuple(column.name for column in trained_by.inputs),
        "targets": tuple(column.name for column in trained_by.targets),
        "task": trained_by.task,
        "scaling": trained_by.scaling,
        "missing": trained_by.missing,
    }
    for name, value in of_model.items():
        given = getattr(spec, name)
        if given is not None and given != value:
            problems.add(
                "differs_from_model",
                f"/{name}",
                f"The model was trained with other {name}. Leave it out to have the model's."
                if isinstance(value, tuple)
                else f"The model's {name} is {value}, and its weights mean nothing with another.",
            )
    for name in ("init", "epsilon"):
        if name in spec.training.model_fields_set:
            problems.add(
                "differs_from_model",
                f"/training/{name}",
                f"{name} is about random initial weights, and this job starts from the model's.",
            )


def _with_decay(training: TrainingSpec, weight_decay: float) -> TrainingSpec:
    """The training with the model's λ, where it is left to the preset auto."""
    if training.preset != "auto" or "weight_decay" in training.model_fields_set:
        return training
    return training.model_copy(update={"weight_decay": weight_decay})


def _is_network_of(network: NetworkSpec, trained_by: ResolvedJob) -> bool:
    """Whether it is the same; activations and the output layer's units may be left out."""
    theirs = trained_by.network.layers
    return len(network.layers) == len(theirs) and all(
        ours.activation in (layer.activation, None) and ours.units in (layer.units, None)
        for ours, layer in zip(network.layers, theirs, strict=True)
    )


def known_columns(
    columns: tuple[Column, ...],
    inputs: tuple[InputColumn, ...],
    targets: tuple[TargetColumn, ...],
    problems: Problems,
    *,
    whose: str,
    path: str | None = None,
) -> dict[str, Column]:
    """The columns of a dataset that are also inputs or targets of a model or job, of its types and with its labels.

    Args:
        columns: of the dataset.
        inputs: of the model or job.
        targets: likewise.
        problems: where ``column_type_differs`` and ``unknown_category`` are added.
        whose: they are, for people.
        path: the place of the request that names the dataset; None where problems belong to inputs and targets.
    """
    by_name = {column.name: column for column in columns}
    used: list[tuple[str, InputColumn | TargetColumn, Labels | None]] = [
        *((path or "/inputs", column, column.categories) for column in inputs),
        *((path or "/targets", column, column.classes) for column in targets),
    ]
    known: dict[str, Column] = {}
    for place, theirs, labels in used:
        column = by_name.get(theirs.name)
        if column is None:
            continue
        if not _can_be(theirs, column, labels):
            problems.add(
                "column_type_differs",
                place,
                f"Column {theirs.name!r} is of type {column.type} in this dataset, and {theirs.type} in {whose}'s.",
            )
            continue
        if labels is not None:
            _check_labels(place, column, theirs.type, labels, problems, whose)
        as_theirs: dict[str, object] = {"type": theirs.type if labels is not None else column.type}
        if labels is not None:
            as_theirs["categories"] = labels
        if theirs.type == "datetime":
            as_theirs["type"] = "datetime"
        known[theirs.name] = column.model_copy(update=as_theirs)
    return known


def _can_be(theirs: InputColumn | TargetColumn, ours: Column, labels: Labels | None) -> bool:
    """Whether our column may hold what theirs does, though it may have been read as something else."""
    if _has_no_value(ours) or ours.type == theirs.type == "datetime":
        same_clock = not isinstance(theirs, InputColumn) or theirs.times_of_day == ours.times_of_day
        return same_clock or _has_no_value(ours)
    if theirs.type == "category" and ours.type != "category" and labels is not None:
        listed = ours.categories or ()
        return ours.type in ("boolean", *_NUMBERS) and (
            not listed or any(_is_known(label, theirs.type, labels) for label in listed)
        )
    if labels is None and theirs.type in _NUMBERS:
        return ours.type in _NUMBERS
    return ours.type == theirs.type


def _has_no_value(column: Column) -> bool:
    return column.type == "number" and column.minimum is None


def _check_labels(path: str, column: Column, kind: str, labels: Labels, problems: Problems, whose: str) -> None:
    if column.type == "number":
        return  # its values are not listed: whether the model knows them, the worker will see
    strange = [label for label in column.categories or () if not _is_known(label, kind, labels)]
    if strange or column.categories is None:
        named = ": " + ", ".join(map(repr, strange[:5])) if strange else ""
        problems.add("unknown_category", path, f"Column {column.name!r} has values that {whose} does not know{named}.")


def _is_known(label: bool | int | str, kind: str, labels: Labels) -> bool:
    if kind == "category" and not isinstance(label, str):
        return category_of(label, tuple(each for each in labels if isinstance(each, str))) is not None
    return label in labels
