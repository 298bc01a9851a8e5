"""What a server says of itself and of its models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from backprop_client.wire.oip.datatypes import Datatype
from backprop_client.wire.problems import ProblemField

EXTENSIONS = ("binary_tensor_data", "model_repository", "parameters", "statistics")
"""Parts of the protocol that a server may lack, as it calls them."""


class Live(BaseModel):
    """The process is up."""

    live: Literal[True] = True


class Ready(BaseModel):
    """The service can answer."""

    ready: Literal[True] = True
    live: Literal[True] = True


class ServerMetadata(BaseModel):
    """What runs here."""

    name: str
    version: str
    extensions: tuple[str, ...] = EXTENSIONS


class TensorMetadata(BaseModel):
    """A tensor that a model takes or gives."""

    name: str
    datatype: Datatype
    shape: list[int] = Field(description="−1 for the number of rows.")
    parameters: dict[str, Any] | None = Field(default=None, description="`classes` of scores.")


class ModelMetadata(BaseModel):
    """A model, and what it takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata] = Field(
        description="One for each column. A model of numbers alone takes one of all, too."
    )
    outputs: list[TensorMetadata]


class ModelReady(BaseModel):
    """The model answers."""

    name: str
    ready: Literal[True] = True


class ModelNames(BaseModel):
    """What models are called."""

    models: list[str]


class IndexRequest(BaseModel):
    """Which models are to be listed. Keys that are not known are not looked at."""

    ready: bool = Field(default=False, description="Only those that are ready, which all are.")


class IndexEntry(BaseModel):
    """A version of a model."""

    name: str
    version: str
    state: Literal["READY"] = "READY"
    reason: str = ""


class Duration(BaseModel):
    """How often something was done, and how long that took."""

    count: int
    ns: int = Field(description="Nanoseconds, all together.")


class InferenceDurations(BaseModel):
    """What became of requests, and where their time went."""

    success: Duration
    fail: Duration
    queue: Duration
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration


class ModelStatistics(BaseModel):
    """What a version of a model has been asked."""

    name: str
    version: str
    last_inference: int = Field(description="Milliseconds since 1970 when it last answered; 0 for never.")
    inference_count: int = Field(description="Rows that it has answered.")
    execution_count: int = Field(description="Requests that it has answered.")
    inference_stats: InferenceDurations


class Statistics(BaseModel):
    """What models have been asked, in the order in which they were last asked."""

    model_stats: list[ModelStatistics]


class ProtocolError(BaseModel):
    """Why a request under ``/v2`` is refused: the form that the protocol's clients read."""

    error: str = Field(description="For people.")
    code: str = Field(description="For programs; docs/errors.md lists all.")
    errors: list[ProblemField] | None = Field(default=None, description="Places in the request, and what is wrong.")
