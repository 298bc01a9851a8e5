"""`client.models`: trained models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from backprop_client.downloads import AsyncDownload, Download
from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import Row, accepting, quoted, whole
from backprop_client.resources.rows import in_file, in_json
from backprop_client.transport.calls import NOT_GIVEN, Call, Content, NotGiven, as_type, given, json_body, nothing, text
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.gradient_checks import GradientCheckResult
from backprop_client.wire.models import (
    DependenceOut,
    FeaturePage,
    ImportanceOut,
    ModelOut,
    ModelPage,
    ModelSummary,
    PredictionResponse,
    UnknownCategories,
)


@dataclass(frozen=True)
class Models:
    """Trained models."""

    _sender: Sender

    def list(
        self,
        *,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[ModelSummary]:
        """The models, newest first."""
        return Page.asked_for(self._sender, _list(tag, name, q, after, limit))

    def get(self, model_id: str) -> ModelOut:
        """A model: its network, its coding of columns, and how good it is."""
        return self._sender.send(_get(model_id))

    def update(
        self,
        model_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> ModelOut:
        """Change its name, tags or note. None clears."""
        return self._sender.send(_update(model_id, name, tags, note))

    def delete(self, model_id: str) -> None:
        """Delete a model that nothing needs."""
        self._sender.send(_delete(model_id))

    def predict(
        self, model_id: str, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions for rows, each an object from column to value or an array."""
        return self._sender.send(_predict(model_id, rows, unknown_categories))

    def predict_file(
        self,
        model_id: str,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> Download:
        """Predictions for the rows of a file: CSV, Parquet or a stream of Arrow's.

        The answer is a file of the type `accept`.
        """
        return Download(_predict_file(model_id, content, media_type, accept, unknown_categories), self._sender)

    def features(self, model_id: str, *, after: int | None = None, limit: int | None = None) -> FeaturePage:
        """What units of the first layer respond to."""
        return self._sender.send(_features(model_id, after, limit))

    def features_picture(
        self,
        model_id: str,
        *,
        after: int | None = None,
        limit: int | None = None,
        width: int | None = None,
        scale: int | None = None,
    ) -> Download:
        """The same as a PNG with a tile for each unit."""
        return Download(_features_picture(model_id, after, limit, width, scale), self._sender)

    def importance(self, model_id: str) -> ImportanceOut:
        """How much the model needs each of its input columns."""
        return self._sender.send(_importance(model_id))

    def dependence(self, model_id: str, column: str, *, points: int | None = None) -> DependenceOut:
        """How its answers depend on one input column."""
        return self._sender.send(_dependence(model_id, column, points))

    def check_gradient(self, model_id: str, *, seed: int | None = None) -> GradientCheckResult:
        """Compare backpropagation's gradient at its weights with a numerical one."""
        return self._sender.send(_check_gradient(model_id, seed))

    def weights(self, model_id: str) -> Download:
        """Its weights, as safetensors."""
        return Download(_weights(model_id), self._sender)

    def onnx(self, model_id: str) -> Download:
        """The model as an ONNX file, from columns to answers."""
        return Download(_onnx(model_id), self._sender)

    def mlflow(self, model_id: str) -> Download:
        """The model as an MLflow folder, in a zip file."""
        return Download(_mlflow(model_id), self._sender)

    def card(self, model_id: str, *, accept: Literal["text/markdown", "text/html"] = "text/markdown") -> str:
        """Its model card."""
        return self._sender.send(_card(model_id, accept))


@dataclass(frozen=True)
class AsyncModels:
    """Trained models."""

    _sender: AsyncSender

    def list(
        self,
        *,
        tag: Sequence[str] | None = None,
        name: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> AsyncList[ModelSummary]:
        """The models, newest first."""
        return AsyncList(_list(tag, name, q, after, limit), self._sender)

    async def get(self, model_id: str) -> ModelOut:
        """A model: its network, its coding of columns, and how good it is."""
        return await self._sender.send(_get(model_id))

    async def update(
        self,
        model_id: str,
        *,
        name: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven | None = NOT_GIVEN,
        note: str | NotGiven | None = NOT_GIVEN,
    ) -> ModelOut:
        """Change its name, tags or note. None clears."""
        return await self._sender.send(_update(model_id, name, tags, note))

    async def delete(self, model_id: str) -> None:
        """Delete a model that nothing needs."""
        await self._sender.send(_delete(model_id))

    async def predict(
        self, model_id: str, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions for rows, each an object from column to value or an array."""
        return await self._sender.send(_predict(model_id, rows, unknown_categories))

    def predict_file(
        self,
        model_id: str,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> AsyncDownload:
        """Predictions for the rows of a file: CSV, Parquet or a stream of Arrow's.

        The answer is a file of the type `accept`.
        """
        return AsyncDownload(_predict_file(model_id, content, media_type, accept, unknown_categories), self._sender)

    async def features(self, model_id: str, *, after: int | None = None, limit: int | None = None) -> FeaturePage:
        """What units of the first layer respond to."""
        return await self._sender.send(_features(model_id, after, limit))

    def features_picture(
        self,
        model_id: str,
        *,
        after: int | None = None,
        limit: int | None = None,
        width: int | None = None,
        scale: int | None = None,
    ) -> AsyncDownload:
        """The same as a PNG with a tile for each unit."""
        return AsyncDownload(_features_picture(model_id, after, limit, width, scale), self._sender)

    async def importance(self, model_id: str) -> ImportanceOut:
        """How much the model needs each of its input columns."""
        return await self._sender.send(_importance(model_id))

    async def dependence(self, model_id: str, column: str, *, points: int | None = None) -> DependenceOut:
        """How its answers depend on one input column."""
        return await self._sender.send(_dependence(model_id, column, points))

    async def check_gradient(self, model_id: str, *, seed: int | None = None) -> GradientCheckResult:
        """Compare backpropagation's gradient at its weights with a numerical one."""
        return await self._sender.send(_check_gradient(model_id, seed))

    def weights(self, model_id: str) -> AsyncDownload:
        """Its weights, as safetensors."""
        return AsyncDownload(_weights(model_id), self._sender)

    def onnx(self, model_id: str) -> AsyncDownload:
        """The model as an ONNX file, from columns to answers."""
        return AsyncDownload(_onnx(model_id), self._sender)

    def mlflow(self, model_id: str) -> AsyncDownload:
        """The model as an MLflow folder, in a zip file."""
        return AsyncDownload(_mlflow(model_id), self._sender)

    async def card(self, model_id: str, *, accept: Literal["text/markdown", "text/html"] = "text/markdown") -> str:
        """Its model card."""
        return await self._sender.send(_card(model_id, accept))


def _list(
    tag: Sequence[str] | None, name: str | None, q: str | None, after: str | None, limit: int | None
) -> Listing[ModelSummary]:
    return Listing(
        Call(
            "GET",
            "/v1/models",
            as_type(ModelPage),
            query={"tag": tag, "name": name, "q": q, "after": after, "limit": limit},
        ),
        lambda item: item.id,
    )


def _get(model_id: str) -> Call[ModelOut]:
    return Call("GET", f"/v1/models/{quoted(model_id)}", as_type(ModelOut))


def _update(
    model_id: str, name: str | NotGiven | None, tags: Sequence[str] | NotGiven | None, note: str | NotGiven | None
) -> Call[ModelOut]:
    return Call(
        "PATCH",
        f"/v1/models/{quoted(model_id)}",
        as_type(ModelOut),
        body=json_body(given(name=name, tags=tags, note=note)),
    )


def _delete(model_id: str) -> Call[None]:
    return Call("DELETE", f"/v1/models/{quoted(model_id)}", nothing)


def _predict(
    model_id: str, rows: Sequence[Row], unknown_categories: UnknownCategories | None
) -> Call[PredictionResponse]:
    return Call(
        "POST",
        f"/v1/models/{quoted(model_id)}/predict",
        as_type(PredictionResponse),
        body=json_body(in_json(rows, unknown_categories)),
    )


def _predict_file(
    model_id: str, content: Content, media_type: str, accept: str | None, unknown_categories: UnknownCategories | None
) -> Call[bytes]:
    return Call(
        "POST",
        f"/v1/models/{quoted(model_id)}/predict",
        whole,
        query={"unknown_categories": unknown_categories},
        headers=accepting(accept or media_type),
        body=in_file(content, media_type),
    )


def _features(model_id: str, after: int | None, limit: int | None) -> Call[FeaturePage]:
    return Call(
        "GET", f"/v1/models/{quoted(model_id)}/features", as_type(FeaturePage), query={"after": after, "limit": limit}
    )


def _features_picture(
    model_id: str, after: int | None, limit: int | None, width: int | None, scale: int | None
) -> Call[bytes]:
    return Call(
        "GET",
        f"/v1/models/{quoted(model_id)}/features",
        whole,
        query={"after": after, "limit": limit, "width": width, "scale": scale, "format": "png"},
        headers=accepting("image/png"),
    )


def _importance(model_id: str) -> Call[ImportanceOut]:
    return Call("GET", f"/v1/models/{quoted(model_id)}/importance", as_type(ImportanceOut))


def _dependence(model_id: str, column: str, points: int | None) -> Call[DependenceOut]:
    return Call(
        "GET",
        f"/v1/models/{quoted(model_id)}/dependence",
        as_type(DependenceOut),
        query={"column": column, "points": points},
    )


def _check_gradient(model_id: str, seed: int | None) -> Call[GradientCheckResult]:
    return Call(
        "POST", f"/v1/models/{quoted(model_id)}/gradient-check", as_type(GradientCheckResult), query={"seed": seed}
    )


def _weights(model_id: str) -> Call[bytes]:
    return Call("GET", f"/v1/models/{quoted(model_id)}/weights", whole, headers=accepting("*/*"))


def _onnx(model_id: str) -> Call[bytes]:
    return Call("GET", f"/v1/models/{quoted(model_id)}/onnx", whole, headers=accepting("*/*"))


def _mlflow(model_id: str) -> Call[bytes]:
    return Call("GET", f"/v1/models/{quoted(model_id)}/mlflow", whole, headers=accepting("*/*"))


def _card(model_id: str, accept: Literal["text/markdown", "text/html"]) -> Call[str]:
    return Call("GET", f"/v1/models/{quoted(model_id)}/card", text, headers=accepting(accept))
