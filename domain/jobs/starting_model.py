"""A job that starts from a model's weights: what it takes over from the model, so that they mean the same as before.

The weights fit one network, and the columns coded as they were when they were trained. So the job has the model's
network, columns, task and scaling, whether it names them or not, and the worker codes the rows with the model's own
preprocessing. Its dataset may be another one.
"""

from __future__ import annotations

from typing import NamedTuple

from backprop_client.wire.columns import Column, Labels
from backprop_client.wire.specs import JobSpec, NetworkSpec, ResolvedJob
from domain.jobs.problems import Problems

_NUMBERS = ("integer", "number")


class Inherited(NamedTuple):
    """A request and its dataset's columns as they are for a job that starts from a model."""

    spec: JobSpec
    network: NetworkSpec
    columns: tuple[Column, ...]


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
        The request, complete; and the columns with the categories that the model knows, of which those in the dataset
        may be a part.

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
    known = _known_categories(columns, trained_by, problems)
    if problems:
        raise problems.refusal()
    complete = spec.model_copy(
        update={
            "inputs": tuple(column.name for column in trained_by.inputs),
            "targets": tuple(column.name for column in trained_by.targets) or None,
            "task": trained_by.task,
            "scaling": trained_by.scaling,
        }
    )
    return Inherited(complete, trained_by.network, tuple(known.get(column.name, column) for column in columns))


def _check_request(spec: JobSpec, trained_by: ResolvedJob, problems: Problems) -> None:
    of_model = {
        "inputs": tuple(column.name for column in trained_by.inputs),
        "targets": tuple(column.name for column in trained_by.targets),
        "task": trained_by.task,
        "scaling": trained_by.scaling,
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


def _is_network_of(network: NetworkSpec, trained_by: ResolvedJob) -> bool:
    """Whether it is the same; the output layer may leave its units out."""
    theirs = trained_by.network.layers
    return len(network.layers) == len(theirs) and all(
        ours.activation == layer.activation and ours.units in (layer.units, None)
        for ours, layer in zip(network.layers, theirs, strict=True)
    )


def _known_categories(columns: tuple[Column, ...], trained_by: ResolvedJob, problems: Problems) -> dict[str, Column]:
    """The coded columns of the dataset with the model's categories. Columns that it lacks are found missing later."""
    by_name = {column.name: column for column in columns}
    used: list[tuple[str, str, str, Labels | None]] = [
        ("inputs", column.name, column.type, column.categories) for column in trained_by.inputs
    ]
    used += [("targets", column.name, column.type, column.classes) for column in trained_by.targets]
    known: dict[str, Column] = {}
    for field, name, kind, labels in used:
        column = by_name.get(name)
        if column is None:
            continue
        allowed = _NUMBERS if labels is None and kind in _NUMBERS else (kind,)
        if column.type not in allowed:
            problems.add(
                "column_type_differs",
                f"/{field}",
                f"Column {name!r} is of type {column.type} in this dataset, and was {kind} in the model's.",
            )
        elif labels is not None:
            known[name] = column.model_copy(update={"categories": labels})
            _check_labels(f"/{field}", column, labels, problems)
    return known


def _check_labels(path: str, column: Column, labels: Labels, problems: Problems) -> None:
    known = set(labels)
    strange = [label for label in column.categories or () if label not in known]
    if strange or column.categories is None:
        named = ": " + ", ".join(map(repr, strange[:5])) if strange else ""
        problems.add(
            "unknown_category", path, f"Column {column.name!r} has values that the model does not know{named}."
        )
