"""What was asked of a job, every default filled in; the rest of a job is what has become of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from backprop_client.wire.jobs import JobOut

PLAN = (
    "dataset_id",
    "network_id",
    "from_model_id",
    "network",
    "task",
    "inputs",
    "targets",
    "scaling",
    "missing",
    "holdout",
    "holdout_by",
    "weights",
    "class_weight",
    "training",
    "register",
)
"""The fields of a job that say what was asked, in the order in which people read them."""

_MAKES_NO_OTHER_MODEL = frozenset({"network_id", "register"})
"""Two jobs that differ in these alone train the same."""


def plan_of(job: JobOut) -> str:
    """What was asked, as JSON that people can read."""
    whole = _told(job)
    return json.dumps({name: whole[name] for name in PLAN if whole[name] is not None}, indent=2, ensure_ascii=False)


def differences(jobs: Sequence[JobOut]) -> dict[str, list[str]]:
    """The places in which jobs would train otherwise, such as ``training.seed``, with what each job has there."""
    told = [_told(job) for job in jobs]
    asked = [dict(_leaves({name: each[name] for name in PLAN if name not in _MAKES_NO_OTHER_MODEL})) for each in told]
    places = dict.fromkeys(place for each in asked for place in each)
    written = {place: [_written(each.get(place)) for each in asked] for place in places}
    return {place: values for place, values in written.items() if len(set(values)) > 1}


def _told(job: JobOut) -> dict[str, Any]:
    whole: dict[str, Any] = job.model_dump(mode="json", by_alias=True)
    return whole


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # JSON
    """Each value of some JSON with its place. A list of columns or layers is one value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{place}.{name}" if place else name)
    elif place in ("inputs", "targets"):
        yield place, ", ".join(each["name"] for each in value)
    elif place == "network.layers":
        yield place, ", ".join(f"{layer['units']} {layer['activation']}" for layer in value)
    else:
        yield place, value


def _written(value: Any) -> str:  # noqa: ANN401  # JSON
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
