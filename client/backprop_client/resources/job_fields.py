"""What a job may say, by name: the fields of `backprop_client.wire.specs.JobSpec`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from backprop_client.wire.registration import Registration
from backprop_client.wire.specs import (
    ClassWeights,
    HoldoutBy,
    JobSpec,
    Missing,
    NetworkSpec,
    Scaling,
    Task,
    TrainingSpec,
)


class JobFields(TypedDict, total=False):
    """As `JobSpec` describes them. `register` may be written so, or as `registration`."""

    name: str | None
    tags: Sequence[str]
    note: str | None
    dataset_id: str
    network: NetworkSpec | Mapping[str, Any] | None
    network_id: str | None
    inputs: Sequence[str] | None
    targets: Sequence[str] | None
    task: Task | None
    scaling: Scaling | None
    missing: Missing | None
    holdout: float
    holdout_by: HoldoutBy | Mapping[str, Any] | None
    weights: str | None
    class_weight: ClassWeights | Mapping[str, float] | None
    training: TrainingSpec | Mapping[str, Any]
    select: bool
    gradient_check: bool
    from_model_id: str | None
    registration: Registration | Mapping[str, Any] | None
    register: Registration | Mapping[str, Any] | None


def said(spec: JobSpec | Mapping[str, Any] | None, fields: JobFields) -> dict[str, Any]:
    """A job's request: all that `spec` says, and on top of it the fields."""
    if isinstance(spec, JobSpec):
        spec = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    request = {**(spec or {}), **fields}
    if "registration" in request:
        request["register"] = request.pop("registration")
    return request
