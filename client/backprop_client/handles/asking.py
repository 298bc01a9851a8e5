"""What a person says of a training, by name, as the body of a job and the fields of an upload.

Names are looked at before anything is sent: one that does not exist is refused with the nearest that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backprop_client.tables.table import name_of, suggestion
from backprop_client.wire.datasets import UploadFields
from backprop_client.wire.specs import JobSpec, TrainingSpec

_OF_TRAINING = frozenset(TrainingSpec.model_fields)
_OF_JOB = frozenset(JobSpec.model_fields) - {"dataset_id", "targets"} | {"register"}
_OF_READING = frozenset(UploadFields.model_fields) - _OF_JOB
_OWN = frozenset({"target", "targets", "hidden", "columns"})

ANY_DATASET = "ds_0"
"""It stands for the dataset's id while the rest of a job is checked before there is one."""


@dataclass(frozen=True)
class Asked:
    """What a person has asked for.

    Attributes:
        job: the body of a job, but for its dataset_id.
        reading: fields of an upload: how the file is to be read.
    """

    job: dict[str, Any]
    reading: dict[str, Any]


def asked(
    target: str | None, targets: Sequence[str] | None, hidden: Sequence[Any] | None, fields: Mapping[str, Any]
) -> Asked:
    """A job and the reading of its data, from what was said by name.

    Args:
        target: the column to predict, if it is one.
        targets: the columns to predict.
        hidden: the units of each hidden layer, or the layer as an object; None where a network is chosen.
        fields: of the job, of its training, and of an upload.

    Raises:
        TypeError: a field does not exist, or two say the same.
        ValueError: a value is none that the field can have.
    """
    for name in fields:
        if name not in _OF_JOB | _OF_TRAINING | _OF_READING:
            known = _OF_JOB | _OF_TRAINING | _OF_READING | _OWN
            raise TypeError(f"train() has no field {name!r}.{suggestion(name, sorted(known))}")
    of_job = {name: _plain(value) for name, value in fields.items() if name in _OF_JOB and name != "training"}
    training = _merged(fields, {name: _plain(value) for name, value in fields.items() if name in _OF_TRAINING})
    wanted = _targets(target, targets)
    job: dict[str, Any] = {
        **of_job,
        **({} if wanted is None else {"targets": wanted}),
        **({} if hidden is None else {"network": _network(hidden, fields)}),
        **({"training": training} if training else {}),
    }
    return Asked(_checked(job), {name: value for name, value in fields.items() if name in _OF_READING})


def refuse_unknown_columns(job: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a job that names a column which the table does not have.

    Raises:
        ValueError: it does; the message has the nearest name.
    """
    known = list(names)
    named = {"targets": job.get("targets") or (), "inputs": job.get("inputs") or (), "weights": [job.get("weights")]}
    for field, columns in named.items():
        for column in columns:
            if column is not None and name_of(column, 0) not in known:
                raise ValueError(f"{field}: the table has no column {column!r}.{suggestion(column, known)}")


def _targets(target: str | None, targets: Sequence[str] | None) -> list[str] | None:
    if target is not None and targets is not None:
        raise TypeError("Give target, or targets for several, and not both.")
    if isinstance(targets, str):
        raise TypeError("targets is a list of columns; for a single one there is target.")
    return [target] if target is not None else None if targets is None else list(targets)


def _network(hidden: Sequence[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    if "network" in fields or "network_id" in fields:
        raise TypeError("Give hidden, or a network, and not both.")
    if isinstance(hidden, int | str):
        raise TypeError("hidden is a list with the units of each hidden layer, such as [32, 16].")
    layers = [_plain(layer) for layer in hidden]
    return {"layers": [*(layer if isinstance(layer, dict) else {"units": layer} for layer in layers), {}]}


def _merged(fields: Mapping[str, Any], by_name: dict[str, Any]) -> dict[str, Any]:
    """The fields of the training: those said by name, and those in `training`."""
    whole = _plain(fields.get("training") or {})
    if not isinstance(whole, dict):
        raise ValueError("training: must be an object with fields of the training")
    twice = sorted(set(whole) & set(by_name))
    if twice:
        raise TypeError(f"{twice[0]} is given twice: by name and in training.")
    return {**whole, **by_name}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A value as JSON has it: models of Pydantic's as dicts, scalars of NumPy's as numbers."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _checked(job: dict[str, Any]) -> dict[str, Any]:
    checked_job({**job, "dataset_id": ANY_DATASET})
    return job


def checked_job(job: Mapping[str, Any]) -> JobSpec:
    """The body of a job, as the service will read it.

    Raises:
        ValueError: a value is none that its field can have.
    """
    try:
        return JobSpec.model_validate(job)
    except ValidationError as error:
        found = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors(include_url=False)]
        raise ValueError("; ".join(f"{place}: {what}" if place else what for place, what in found)) from error
