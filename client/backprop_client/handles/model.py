"""A trained model, to be worked with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop_client.errors import Conflict, NotFound, TooLarge
from backprop_client.handles.files import answers_in, direct_type, is_file, media_type_of
from backprop_client.handles.predicting import Asking, ModelFacts
from backprop_client.handles.queued import queued, queued_async
from backprop_client.handles.uploading import stored
from backprop_client.progress.html import model_card
from backprop_client.tables.table import table_of
from backprop_client.wire.models import ImportanceOut, ModelOut, UnknownCategories
from backprop_client.wire.registry import VersionOut

if TYPE_CHECKING:
    from backprop_client.handles.working import AsyncWorking, Working

CSV = "text/csv"


class KnownModel:
    """What is known of a trained model.

    Attributes:
        data: all that the service tells of it.
    """

    data: ModelOut

    @property
    def id(self) -> str:
        """By which the service knows it."""
        return self.data.id

    @property
    def metrics(self) -> dict[str, Any]:
        """How good it is, on the training rows and on those held out. docs/jobs.md defines each metric."""
        return self.data.metrics

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that rows must have."""
        return ModelFacts.of(self.data).inputs

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {self.data.task}, {'-'.join(map(str, self.data.sizes))} units)"

    def _repr_html_(self) -> str:
        return model_card(self.data)


class Model(KnownModel):
    """A trained model that predicts."""

    def __init__(self, client: Working, data: ModelOut) -> None:
        self._client = client
        self.data = data

    def predict(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        columns: Sequence[str] | None = None,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Any:  # noqa: ANN401
        """What the model predicts for rows, in the form in which they came.

        ========================================  ==============================================================
        rows                                      predictions; of several targets, or of a reconstruction
        ========================================  ==============================================================
        a pandas or Polars frame                  a series with the frame's index; a frame
        a table of Arrow's, or what gives itself  an array; a table
        an array of NumPy's                       an array; one of two dimensions, or a structured one
        a dict of columns                         a list; a dict of lists
        a list of dicts or of rows                a list; a list of dicts
        a file or its path, a dataset or its id   a list; a list of dicts
        ========================================  ==============================================================

        Only the model's inputs are sent. Rows without names have them in the model's order. Many rows go in parts.

        Args:
            data: the rows.
            columns: names for the columns of an array or of a list of rows.
            unknown_categories: what is done about a category that the training data did not have.

        Raises:
            TypeError, ValueError: the rows are no table, or lack an input.
            Refused: the service cannot read them.
        """
        return self._answers(data, columns, unknown_categories, scores=False)

    def predict_scores(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        columns: Sequence[str] | None = None,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Any:  # noqa: ANN401
        """How strongly the model votes for each class, in the form in which the rows came: a column for each class.

        They are probabilities if the output is softmax, as it is by default; else only scores. Arguments and errors
        are those of `predict`.
        """
        return self._answers(data, columns, unknown_categories, scores=True)

    def predict_file(
        self,
        data: Any,  # noqa: ANN401  # a file, a dataset or a table
        to: str | os.PathLike[str],
        *,
        with_inputs: bool = True,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Path:
        """Have a worker predict for a file or dataset of any size, and write the answers down.

        Args:
            data: a file or its path, a dataset or its id, or a table.
            to: the path of the file to write: ``.csv``, ``.parquet`` or ``.arrows``.
            with_inputs: whether the rows stand beside their answers.
            unknown_categories: what is done about a category that the training data did not have.

        Raises:
            Failed: the predictions failed; the message names row and column.
        """
        media_type = media_type_of(to)
        with queued(self._client, self.id, data, unknown_categories) as prediction_id:
            return self._client.predictions.rows(prediction_id, with_inputs=with_inputs, accept=media_type).save(to)

    def _answers(
        self,
        data: Any,  # noqa: ANN401
        columns: Sequence[str] | None,
        unknown_categories: UnknownCategories,
        scores: bool,
    ) -> Any:  # noqa: ANN401
        facts = ModelFacts.of(self.data)
        if scores:
            facts.check_scores()
        if stored(data) or is_file(data):
            return answers_in(self._for_file(data, unknown_categories), facts, scores)
        asking = Asking(table_of(data, columns), facts, unknown_categories)
        while (body := asking.body()) is not None:
            try:
                answer = self._client.models.predict_file(
                    self.id,
                    body.content,
                    media_type=body.media_type,
                    unknown_categories=asking.unknown_categories,
                ).read()
            except TooLarge:
                if not asking.halve():
                    raise
            else:
                asking.take(answer)
        return asking.scores() if scores else asking.predictions()

    def _for_file(self, data: Any, unknown_categories: UnknownCategories) -> bytes:  # noqa: ANN401
        media_type = direct_type(data)
        if media_type is not None:
            with suppress(TooLarge):  # a worker takes any number of rows
                return self._client.models.predict_file(
                    self.id, data, media_type=media_type, accept=CSV, unknown_categories=unknown_categories
                ).read()
        with queued(self._client, self.id, data, unknown_categories) as prediction_id:
            return self._client.predictions.rows(prediction_id, accept=CSV).read()

    def importance(self) -> ImportanceOut:
        """How much the model needs each of its input columns, the most important first."""
        return self._client.models.importance(self.id)

    def promote(self, name: str, alias: str | None = None) -> VersionOut:
        """Make it a version of a registered model, which is made if it is not there, and let an alias point to it.

        A model that is a version of that name already stays that version.

        Args:
            name: of the registered model.
            alias: that is to point to it; None for none.
        """
        registry = self._client.registry
        try:
            known = next((each for each in registry.list_versions(name) if each.model_id == self.id), None)
        except NotFound:
            with suppress(Conflict):  # somebody else has made it meanwhile
                registry.create(name=name)
            known = None
        version = known or registry.create_version(name, model_id=self.id)
        if alias is not None:
            registry.move_alias(name, alias, version=version.version)
        return registry.get_version(name, version.version)

    def download(self, path: str | os.PathLike[str]) -> Path:
        """Write its weights down, as safetensors."""
        return self._client.models.weights(self.id).save(path)

    def onnx(self, path: str | os.PathLike[str]) -> Path:
        """Write it down as an ONNX file, from columns to answers."""
        return self._client.models.onnx(self.id).save(path)

    def card(self) -> str:
        """Its model card, in Markdown: what a person should know of it before using it."""
        return self._client.models.card(self.id)


class AsyncModel(KnownModel):
    """A trained model that predicts, and is awaited. `Model` describes its methods."""

    def __init__(self, client: AsyncWorking, data: ModelOut) -> None:
        self._client = client
        self.data = data

    async def predict(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        columns: Sequence[str] | None = None,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Any:  # noqa: ANN401
        """What the model predicts for rows, in the form in which they came."""
        return await self._answers(data, columns, unknown_categories, scores=False)

    async def predict_scores(
        self,
        data: Any,  # noqa: ANN401  # whatever people have
        *,
        columns: Sequence[str] | None = None,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Any:  # noqa: ANN401
        """How strongly the model votes for each class, in the form in which the rows came."""
        return await self._answers(data, columns, unknown_categories, scores=True)

    async def predict_file(
        self,
        data: Any,  # noqa: ANN401  # a file, a dataset or a table
        to: str | os.PathLike[str],
        *,
        with_inputs: bool = True,
        unknown_categories: UnknownCategories = "refuse",
    ) -> Path:
        """Have a worker predict for a file or dataset of any size, and write the answers down."""
        media_type = media_type_of(to)
        async with queued_async(self._client, self.id, data, unknown_categories) as prediction_id:
            return await self._client.predictions.rows(prediction_id, with_inputs=with_inputs, accept=media_type).save(
                to
            )

    async def _answers(
        self,
        data: Any,  # noqa: ANN401
        columns: Sequence[str] | None,
        unknown_categories: UnknownCategories,
        scores: bool,
    ) -> Any:  # noqa: ANN401
        facts = ModelFacts.of(self.data)
        if scores:
            facts.check_scores()
        if stored(data) or is_file(data):
            return answers_in(await self._for_file(data, unknown_categories), facts, scores)
        asking = Asking(table_of(data, columns), facts, unknown_categories)
        while (body := await asyncio.to_thread(asking.body)) is not None:
            try:
                answer = await self._client.models.predict_file(
                    self.id,
                    body.content,
                    media_type=body.media_type,
                    unknown_categories=asking.unknown_categories,
                ).read()
            except TooLarge:
                if not asking.halve():
                    raise
            else:
                asking.take(answer)
        return asking.scores() if scores else asking.predictions()

    async def _for_file(self, data: Any, unknown_categories: UnknownCategories) -> bytes:  # noqa: ANN401
        media_type = direct_type(data)
        if media_type is not None:
            with suppress(TooLarge):  # a worker takes any number of rows
                return await self._client.models.predict_file(
                    self.id, data, media_type=media_type, accept=CSV, unknown_categories=unknown_categories
                ).read()
        async with queued_async(self._client, self.id, data, unknown_categories) as prediction_id:
            return await self._client.predictions.rows(prediction_id, accept=CSV).read()

    async def importance(self) -> ImportanceOut:
        """How much the model needs each of its input columns, the most important first."""
        return await self._client.models.importance(self.id)

    async def promote(self, name: str, alias: str | None = None) -> VersionOut:
        """Make it a version of a registered model, and let an alias point to it."""
        registry = self._client.registry
        try:
            known = None
            async for each in await registry.list_versions(name):
                if each.model_id == self.id:
                    known = each
                    break
        except NotFound:
            with suppress(Conflict):  # somebody else has made it meanwhile
                await registry.create(name=name)
            known = None
        version = known or await registry.create_version(name, model_id=self.id)
        if alias is not None:
            await registry.move_alias(name, alias, version=version.version)
        return await registry.get_version(name, version.version)

    async def download(self, path: str | os.PathLike[str]) -> Path:
        """Write its weights down, as safetensors."""
        return await self._client.models.weights(self.id).save(path)

    async def onnx(self, path: str | os.PathLike[str]) -> Path:
        """Write it down as an ONNX file, from columns to answers."""
        return await self._client.models.onnx(self.id).save(path)

    async def card(self) -> str:
        """Its model card, in Markdown: what a person should know of it before using it."""
        return await self._client.models.card(self.id)
