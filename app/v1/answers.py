"""What is answered about the rows of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop_client.wire.datasets import DatasetOut, DatasetSummary
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.jobs import EventOut, JobError, JobNote, JobOut, JobPlan, RowCounts
from backprop_client.wire.models import ModelOut, ModelSummary
from backprop_client.wire.networks import NetworkOut
from backprop_client.wire.predictions import QueuedPredictionOut
from backprop_client.wire.registration import Registered
from backprop_client.wire.registry import AliasOut, RegisteredModelOut, RegistryEventOut, VersionOut
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import NetworkSpec
from backprop_client.wire.webhooks import WebhookOut
from domain.registry.aliases import PointedAt
from infra.tables import (
    Dataset,
    Job,
    JobEvent,
    Model,
    ModelVersion,
    NetworkRow,
    QueuedPrediction,
    RegisteredModel,
    RegistryEvent,
    Webhook,
)


def dataset_summary(dataset: Dataset) -> DatasetSummary:
    """The dataset as it is in a list."""
    return DatasetSummary.model_validate(dataset, from_attributes=True)


def dataset_out(dataset: Dataset) -> DatasetOut:
    """The dataset with its columns."""
    return DatasetOut.model_validate(dataset, from_attributes=True)


def network_out(network: NetworkRow) -> NetworkOut:
    """The network."""
    layers = NetworkSpec.model_validate(network.spec).layers
    return NetworkOut(id=network.id, name=network.name, layers=layers, created_at=network.created_at)


def job_out(job: Job) -> JobOut:
    """The job: what was asked, and how far it has come."""
    spec = ResolvedJob.model_validate(job.spec)
    checked = job.gradient_check
    return JobOut(
        id=job.id,
        name=job.name,
        tags=job.tags,
        note=job.note,
        status=job.status,
        iteration=job.iteration,
        iterations=job.iterations,
        cost=job.cost,
        rate=job.rate,
        eta_seconds=eta_seconds(job),
        attempt=job.attempt,
        cancel_requested=job.cancel_requested,
        error=_error(job),
        model_id=job.model_id,
        stopped_by=job.stopped_by,
        thinned_before=job.thinned_before,
        notes=[JobNote.model_validate(note) for note in job.notes],
        gradient_check=None if checked is None else GradientCheckResult.model_validate(checked),
        dataset_id=job.dataset_id,
        network_id=job.network_id,
        from_model_id=spec.from_model_id,
        network=spec.network,
        sizes=spec.sizes,
        task=spec.task,
        inputs=spec.inputs,
        targets=spec.targets,
        scaling=spec.scaling,
        missing=spec.missing,
        left_out=spec.left_out,
        rows=None if job.row_counts is None else RowCounts.model_validate(job.row_counts),
        holdout=spec.holdout,
        holdout_by=spec.holdout_by,
        weights=spec.weights,
        class_weight=spec.class_weight,
        training=spec.training,
        selection=spec.selection,
        registration=spec.registration,
        registered=None if job.registered is None else Registered.model_validate(job.registered),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def job_plan(spec: ResolvedJob, estimated_seconds: float) -> JobPlan:
    """What the job would be, and what it would take."""
    return JobPlan.model_validate({**spec.model_dump(), "estimated_seconds": estimated_seconds})


def event_out(event: JobEvent) -> EventOut:
    """The event."""
    return EventOut.model_validate(event, from_attributes=True, by_name=True)


def model_out(model: Model) -> ModelOut:
    """The model, without its weights."""
    return ModelOut(**_model_in_short(model), metrics=model.metrics, preprocessing=model.preprocessing)


def model_summary(model: Model) -> ModelSummary:
    """The model as it is in a list."""
    return ModelSummary(**_model_in_short(model), metrics=model.listed_metrics)


def _model_in_short(model: Model) -> dict[str, Any]:
    names = ModelSummary.model_fields.keys() - {"metrics", "sizes", "layers"}
    return {name: getattr(model, name) for name in names} | {
        "sizes": model.network["sizes"],
        "layers": model.network["layers"],
    }


def queued_prediction_out(row: QueuedPrediction) -> QueuedPredictionOut:
    """The queued prediction: what was asked, and how far it has come."""
    eta = (row.rows - row.rows_done) / row.rate if row.status == "running" and row.rate else None
    return QueuedPredictionOut.model_validate(
        {
            **{name: getattr(row, name) for name in QueuedPredictionOut.model_fields if hasattr(row, name)},
            "eta_seconds": eta,
            "error": _error(row),
        }
    )


def registered_model_out(registered: RegisteredModel, pointing: Sequence[PointedAt]) -> RegisteredModelOut:
    """The registered model with its aliases."""
    return RegisteredModelOut(
        id=registered.id,
        name=registered.name,
        description=registered.description,
        tags=registered.tags,
        last_version=registered.last_version,
        aliases=[alias_out(each) for each in pointing],
        created_at=registered.created_at,
        updated_at=registered.updated_at,
    )


def version_out(name: str, version: ModelVersion, pointing: Sequence[PointedAt]) -> VersionOut:
    """The version of the registered model of that name; of its aliases, `pointing`, those that point to it."""
    return VersionOut(
        name=name,
        version=version.number,
        model_id=version.model_id,
        description=version.description,
        tags=version.tags,
        aliases=[each.alias.alias for each in pointing if each.version.number == version.number],
        created_at=version.created_at,
    )


def alias_out(pointed_at: PointedAt) -> AliasOut:
    """The alias and where it points to."""
    return AliasOut(
        alias=pointed_at.alias.alias,
        version=pointed_at.version.number,
        model_id=pointed_at.version.model_id,
        etag=pointed_at.etag,
        moved_at=pointed_at.alias.moved_at,
    )


def registry_event_out(event: RegistryEvent) -> RegistryEventOut:
    """The event of a registered model's name."""
    return RegistryEventOut.model_validate(event, from_attributes=True, by_name=True)


def webhook_out(webhook: Webhook) -> WebhookOut:
    """The webhook without its secret."""
    return WebhookOut.model_validate({name: getattr(webhook, name) for name in WebhookOut.model_fields})


def eta_seconds(job: Job) -> float | None:
    """Seconds until the last iteration, as fast as it goes; None unless it is running and has shown how fast."""
    if job.status != "running" or not job.rate or job.iteration is None:
        return None
    return (job.iterations - job.iteration) / job.rate


def _error(row: Job | QueuedPrediction) -> JobError | None:
    if row.error_code is None:
        return None
    return JobError(code=row.error_code, message=row.error_message or "")
