"""`client.inference`: The Open Inference Protocol, which Triton, KServe and MLServer speak too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backprop_client.resources.parts import quoted
from backprop_client.transport.calls import Call, as_type, json_body
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.oip.inference import InferenceRequest, InferenceResponse
from backprop_client.wire.oip.server import (
    IndexEntry,
    Live,
    ModelMetadata,
    ModelNames,
    ModelReady,
    Ready,
    ServerMetadata,
    Statistics,
)


@dataclass(frozen=True)
class Inference:
    """The Open Inference Protocol, which Triton, KServe and MLServer speak too."""

    _sender: Sender

    def live(self) -> Live:
        """Whether the process is up."""
        return self._sender.send(_live())

    def ready(self) -> Ready:
        """Whether models can be asked."""
        return self._sender.send(_ready())

    def server(self) -> ServerMetadata:
        """What runs there."""
        return self._sender.send(_server())

    def models(self) -> ModelNames:
        """What models can be asked by."""
        return self._sender.send(_models())

    def model(self, model_name: str) -> ModelMetadata:
        """The versions of a model, and the tensors of its newest."""
        return self._sender.send(_model(model_name))

    def version(self, model_name: str, model_version: str) -> ModelMetadata:
        """The versions of a model, and the tensors of this one."""
        return self._sender.send(_version(model_name, model_version))

    def model_ready(self, model_name: str) -> ModelReady:
        """Whether a model can be asked. It is loaded."""
        return self._sender.send(_model_ready(model_name))

    def version_ready(self, model_name: str, model_version: str) -> ModelReady:
        """Whether a version can be asked. It is loaded."""
        return self._sender.send(_version_ready(model_name, model_version))

    def infer(self, model_name: str, request: InferenceRequest | Mapping[str, Any]) -> InferenceResponse:
        """Tensors in JSON in, tensors in JSON out."""
        return self._sender.send(_infer(model_name, request))

    def infer_version(
        self, model_name: str, model_version: str, request: InferenceRequest | Mapping[str, Any]
    ) -> InferenceResponse:
        """The same, of a version."""
        return self._sender.send(_infer_version(model_name, model_version, request))

    def statistics(self) -> Statistics:
        """What all models have been asked through the process that answers."""
        return self._sender.send(_statistics())

    def model_statistics(self, model_name: str) -> Statistics:
        """The same of a model's newest version."""
        return self._sender.send(_model_statistics(model_name))

    def version_statistics(self, model_name: str, model_version: str) -> Statistics:
        """The same of a version."""
        return self._sender.send(_version_statistics(model_name, model_version))

    def index(self) -> list[IndexEntry]:
        """Every version that can be asked."""
        return self._sender.send(_index())

    def load(self, model_name: str) -> dict[str, Any]:
        """Have a model read into memory."""
        return self._sender.send(_load(model_name))

    def unload(self, model_name: str) -> dict[str, Any]:
        """Have it dropped from memory."""
        return self._sender.send(_unload(model_name))


@dataclass(frozen=True)
class AsyncInference:
    """The Open Inference Protocol, which Triton, KServe and MLServer speak too."""

    _sender: AsyncSender

    async def live(self) -> Live:
        """Whether the process is up."""
        return await self._sender.send(_live())

    async def ready(self) -> Ready:
        """Whether models can be asked."""
        return await self._sender.send(_ready())

    async def server(self) -> ServerMetadata:
        """What runs there."""
        return await self._sender.send(_server())

    async def models(self) -> ModelNames:
        """What models can be asked by."""
        return await self._sender.send(_models())

    async def model(self, model_name: str) -> ModelMetadata:
        """The versions of a model, and the tensors of its newest."""
        return await self._sender.send(_model(model_name))

    async def version(self, model_name: str, model_version: str) -> ModelMetadata:
        """The versions of a model, and the tensors of this one."""
        return await self._sender.send(_version(model_name, model_version))

    async def model_ready(self, model_name: str) -> ModelReady:
        """Whether a model can be asked. It is loaded."""
        return await self._sender.send(_model_ready(model_name))

    async def version_ready(self, model_name: str, model_version: str) -> ModelReady:
        """Whether a version can be asked. It is loaded."""
        return await self._sender.send(_version_ready(model_name, model_version))

    async def infer(self, model_name: str, request: InferenceRequest | Mapping[str, Any]) -> InferenceResponse:
        """Tensors in JSON in, tensors in JSON out."""
        return await self._sender.send(_infer(model_name, request))

    async def infer_version(
        self, model_name: str, model_version: str, request: InferenceRequest | Mapping[str, Any]
    ) -> InferenceResponse:
        """The same, of a version."""
        return await self._sender.send(_infer_version(model_name, model_version, request))

    async def statistics(self) -> Statistics:
        """What all models have been asked through the process that answers."""
        return await self._sender.send(_statistics())

    async def model_statistics(self, model_name: str) -> Statistics:
        """The same of a model's newest version."""
        return await self._sender.send(_model_statistics(model_name))

    async def version_statistics(self, model_name: str, model_version: str) -> Statistics:
        """The same of a version."""
        return await self._sender.send(_version_statistics(model_name, model_version))

    async def index(self) -> list[IndexEntry]:
        """Every version that can be asked."""
        return await self._sender.send(_index())

    async def load(self, model_name: str) -> dict[str, Any]:
        """Have a model read into memory."""
        return await self._sender.send(_load(model_name))

    async def unload(self, model_name: str) -> dict[str, Any]:
        """Have it dropped from memory."""
        return await self._sender.send(_unload(model_name))


def _live() -> Call[Live]:
    return Call("GET", "/v2/health/live", as_type(Live))


def _ready() -> Call[Ready]:
    return Call("GET", "/v2/health/ready", as_type(Ready))


def _server() -> Call[ServerMetadata]:
    return Call("GET", "/v2", as_type(ServerMetadata))


def _models() -> Call[ModelNames]:
    return Call("GET", "/v2/models", as_type(ModelNames))


def _model(model_name: str) -> Call[ModelMetadata]:
    return Call("GET", f"/v2/models/{quoted(model_name)}", as_type(ModelMetadata))


def _version(model_name: str, model_version: str) -> Call[ModelMetadata]:
    return Call("GET", f"/v2/models/{quoted(model_name)}/versions/{quoted(model_version)}", as_type(ModelMetadata))


def _model_ready(model_name: str) -> Call[ModelReady]:
    return Call("GET", f"/v2/models/{quoted(model_name)}/ready", as_type(ModelReady))


def _version_ready(model_name: str, model_version: str) -> Call[ModelReady]:
    return Call("GET", f"/v2/models/{quoted(model_name)}/versions/{quoted(model_version)}/ready", as_type(ModelReady))


def _infer(model_name: str, request: InferenceRequest | Mapping[str, Any]) -> Call[InferenceResponse]:
    return Call("POST", f"/v2/models/{quoted(model_name)}/infer", as_type(InferenceResponse), body=json_body(request))


def _infer_version(
    model_name: str, model_version: str, request: InferenceRequest | Mapping[str, Any]
) -> Call[InferenceResponse]:
    return Call(
        "POST",
        f"/v2/models/{quoted(model_name)}/versions/{quoted(model_version)}/infer",
        as_type(InferenceResponse),
        body=json_body(request),
    )


def _statistics() -> Call[Statistics]:
    return Call("GET", "/v2/models/stats", as_type(Statistics))


def _model_statistics(model_name: str) -> Call[Statistics]:
    return Call("GET", f"/v2/models/{quoted(model_name)}/stats", as_type(Statistics))


def _version_statistics(model_name: str, model_version: str) -> Call[Statistics]:
    return Call("GET", f"/v2/models/{quoted(model_name)}/versions/{quoted(model_version)}/stats", as_type(Statistics))


def _index() -> Call[list[IndexEntry]]:
    return Call("POST", "/v2/repository/index", as_type(list[IndexEntry]))


def _load(model_name: str) -> Call[dict[str, Any]]:
    return Call("POST", f"/v2/repository/models/{quoted(model_name)}/load", as_type(dict[str, Any]))


def _unload(model_name: str) -> Call[dict[str, Any]]:
    return Call("POST", f"/v2/repository/models/{quoted(model_name)}/unload", as_type(dict[str, Any]))
