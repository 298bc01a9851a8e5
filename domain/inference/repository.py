"""Which models a project has, as the protocol lists them, and what each takes and gives."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backprop.coding.inputs import CodedColumn
from backprop_client.wire.oip.datatypes import Datatype
from backprop_client.wire.oip.server import IndexEntry, ModelMetadata, TensorMetadata
from domain.access.projects import Project
from domain.inference.naming import ONLY_VERSION, AskedModel
from domain.models.prediction import Predictor
from domain.models.tensors.answers import Output, outputs_of
from domain.registry import rows as registry_rows
from infra.tables import Job, Model, ModelVersion, RegisteredModel

PLATFORM = "backprop"
"""What the protocol calls the framework that a model runs in."""

MOST_LISTED = 10_000
"""Versions of registered models, and as many models by their ids. The protocol's lists have no pages; the newest are
listed. `/v1/models` and `/v1/registry` list all."""


def index(session: Session, project: Project) -> list[IndexEntry]:
    """Every version of the registered models, the newest name first; then the models by their ids, newest first."""
    registered = session.execute(
        select(RegisteredModel.name, ModelVersion.number)
        .join(ModelVersion, ModelVersion.registered_id == RegisteredModel.id)
        .where(RegisteredModel.project == project)
        .order_by(RegisteredModel.id.desc(), ModelVersion.number.desc())
        .limit(MOST_LISTED)
    )
    entries = [IndexEntry(name=name, version=str(number)) for name, number in registered]
    return entries + [IndexEntry(name=model_id, version=ONLY_VERSION) for model_id in _ids(session, project)]


def names(session: Session, project: Project) -> list[str]:
    """What the project's models can be asked by: registered names that have a version, then ids; newest first."""
    has_a_version = select(ModelVersion.number).where(ModelVersion.registered_id == RegisteredModel.id).exists()
    registered = session.scalars(
        select(RegisteredModel.name)
        .where(RegisteredModel.project == project, has_a_version)
        .order_by(RegisteredModel.id.desc())
        .limit(MOST_LISTED)
    )
    return [*registered, *_ids(session, project)]


def versions(session: Session, project: Project, asked: AskedModel) -> list[str]:
    """All versions of a model, the oldest first.

    Raises:
        NotFound: the project has no such registered model (code ``registered_model_not_found``).
    """
    if asked.is_id:
        return [ONLY_VERSION]
    registered = registry_rows.get(session, project, asked.name)
    numbers = session.scalars(
        select(ModelVersion.number)
        .where(ModelVersion.registered_id == registered.id)
        .order_by(ModelVersion.number.desc())
        .limit(MOST_LISTED)
    )
    return [str(number) for number in reversed(numbers.all())]


def whole_columns(session: Session, model_id: str) -> frozenset[str]:
    """The input columns that held whole numbers in the dataset that a model was trained on."""
    inputs = session.scalar(select(Job.spec["inputs"]).join(Model, Model.job_id == Job.id).where(Model.id == model_id))
    return frozenset(column["name"] for column in inputs or () if column["type"] == "integer")


def metadata(name: str, versions: list[str], predictor: Predictor, whole: frozenset[str]) -> ModelMetadata:
    """What a model takes and gives.

    Args:
        name: as it was asked for.
        versions: that there are of it.
        predictor: the model.
        whole: the input columns that held whole numbers.
    """
    return ModelMetadata(
        name=name,
        versions=versions,
        platform=PLATFORM,
        inputs=[
            TensorMetadata(name=column.name, datatype=_datatype(column, column.name in whole), shape=[-1, 1])
            for column in predictor.reader.inputs.coded_columns
        ],
        outputs=[_output(output) for output in outputs_of(predictor.model.coding.targets)],
    )


def _ids(session: Session, project: Project) -> list[str]:
    query = select(Model.id).where(Model.project == project).order_by(Model.id.desc()).limit(MOST_LISTED)
    return list(session.scalars(query))


def _datatype(column: CodedColumn, is_whole: bool) -> Datatype:
    """What the column's values are sent as; other datatypes are taken too, see `domain.models.tensors.reading`."""
    if column.moments is not None:
        return "BYTES"
    if column.categories is not None:
        return "BOOL" if isinstance(column.categories[0], bool) else "BYTES"
    return "INT64" if is_whole and not column.has_gaps else "FP64"  # INT64 has no word for a missing value


def _output(output: Output) -> TensorMetadata:
    parameters = {"classes": list(output.classes)} if output.classes else None
    return TensorMetadata(name=output.name, datatype=output.datatype, shape=[-1, output.width], parameters=parameters)
