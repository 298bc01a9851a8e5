"""Exported files of stored models, as they are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec

from backprop.coding.columns import Batch
from backprop.model import TrainedModel
from backprop_client.wire.models import ImportanceOut
from domain.access.projects import Project
from domain.jobs import costs
from domain.jobs import rows as jobs
from domain.models import rows as models
from domain.models.cache import ModelCache
from domain.models.export.card.contents import Card
from domain.models.export.card.curve import curve_of
from domain.models.export.card.writing import CardWriter
from domain.models.export.facts import Origin, facts_of, origin_of
from domain.models.export.mlflow_folder import mlflow_folder
from domain.models.export.rows_to_compare import MADE_UP_ROWS, made_up_rows, rows_at_most
from domain.models.sample import NoRows, sample, source_of
from infra.artifacts import ArtifactStore
from infra.codec import telling
from infra.database import Database
from infra.errors import NotInstalled, TooLarge

MOST_HEADER_BYTES = 90_000_000
"""Bytes. Readers of safetensors take no header of more than 100 MB; some of it is for the arrays' names and places."""

DRAWN_POINTS = 400
"""Points of a card's curve. More would fall on the same pixels."""

TOLD_POINTS = 12
"""Points of a card's curve that are told in numbers."""

NEEDED_FOR_ONNX = ("onnx", "onnxruntime")
"""The packages of the extra `onnx`."""


@dataclass(frozen=True)
class Exporter:
    """Makes files of the models of one project.

    Attributes:
        database: where the models are.
        artifacts: where the datasets are.
        trained_models: those that are ready to answer.
        project: whose models.
    """

    database: Database
    artifacts: ArtifactStore
    trained_models: ModelCache
    project: Project

    def safetensors(self, model_id: str) -> bytes:
        """The weights, and in the metadata all that a prediction needs besides, see docs/exports.md.

        Raises:
            NotFound: the project has no such model.
            TooLarge: its coding is too large for the format (code ``export_too_large``).
        """
        with self.database.reading() as session:
            model = models.get_with_weights(session, self.project, model_id)
            origin = origin_of(session, self.project, model)
        told = {
            **facts_of(origin),
            "network": json.dumps(model.network),
            "coding": json.dumps(model.preprocessing),
        }
        if sum(map(len, told.values())) > MOST_HEADER_BYTES:
            raise TooLarge(
                "export_too_large",
                f"The model's coding takes more than {MOST_HEADER_BYTES:,} bytes, and the metadata of a safetensors "
                "file has no room for it.",
            )
        return telling(model.weights, told)

    def onnx(self, model_id: str) -> bytes:
        """The model as an ONNX file that has been compared with it.

        Raises:
            NotFound: the project has no such model.
            NotInstalled: the extra is missing (code ``onnx_not_installed``).
            Conflict: the file answers otherwise than the model (code ``onnx_differs``).
            TooLarge: the weights are too many for the format (code ``export_too_large``).
        """
        return self._onnx(self._origin(model_id), self._trained(model_id))

    def mlflow(self, model_id: str) -> bytes:
        """The model as a zipped folder that MLflow reads. Raises as `onnx` does."""
        origin, trained = self._origin(model_id), self._trained(model_id)
        content = self._onnx(origin, trained)
        return mlflow_folder(content, trained.coding, facts_of(origin), origin.model.created_at)

    def card(self, model_id: str) -> Card:
        """The model's card. Raises NotFound: the project has no such model."""
        with self.database.reading() as session:
            model = models.get_with_importance(session, self.project, model_id)
            origin = origin_of(session, self.project, model)
            every = jobs.held_out_every(origin.row)
            thinned = origin.row.thinned_before or 0
            drawn, told = (
                []
                if origin.row.removed_at is not None  # its costs are on their way out
                else costs.thin_rows(session, model.job_id, -1, points, None, every, thinned)
                for points in (DRAWN_POINTS, TOLD_POINTS)
            )
        importance = None if model.importance is None else ImportanceOut.model_validate(model.importance)
        return CardWriter(origin, importance, curve_of(drawn, told)).card()

    def _onnx(self, origin: Origin, trained: TrainedModel) -> bytes:
        if any(find_spec(name) is None for name in NEEDED_FOR_ONNX):
            raise NotInstalled(
                "onnx_not_installed",
                "This server makes no ONNX files, since it lacks the packages for it: pip install "
                f"{' '.join(NEEDED_FOR_ONNX)}.",
            )
        from domain.models.export.onnx_file import onnx_file  # what it imports may not be there

        return onnx_file(trained, facts_of(origin), self._rows_to_compare(origin, trained))

    def _rows_to_compare(self, origin: Origin, trained: TrainedModel) -> list[Batch]:
        made_up = made_up_rows(trained.coding.inputs, min(MADE_UP_ROWS, rows_at_most(trained)))
        try:
            with self.database.reading() as session:
                source = source_of(session, self.project, origin.model)
            return [sample(source, rows_at_most(trained), self.artifacts), made_up]
        except NoRows:
            return [made_up]

    def _trained(self, model_id: str) -> TrainedModel:
        return self.trained_models.get(self.project, model_id).model

    def _origin(self, model_id: str) -> Origin:
        with self.database.reading() as session:
            return origin_of(session, self.project, models.get(session, self.project, model_id))
