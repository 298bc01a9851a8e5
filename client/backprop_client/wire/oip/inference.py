"""What is asked of a model, and what it answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, FailFast, Field

from backprop_client.wire.models import UnknownCategories
from backprop_client.wire.oip.datatypes import Datatype

LARGEST_DIMENSION = 2**31 - 1
"""Rows or columns. No tensor that fits into memory has more, and products of two still fit into 64 bits."""

Dimension = Annotated[int, Field(ge=0, le=LARGEST_DIMENSION, strict=True)]


class InputParameters(BaseModel):
    """How the data of a tensor comes. Other parameters are allowed, and mean nothing here."""

    binary_data_size: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="How many bytes after the JSON are this tensor's; then it has no data.",
    )


class InputTensor(BaseModel):
    """A tensor that comes to a model."""

    name: str
    shape: Annotated[list[Dimension], FailFast()] = Field(
        min_length=1,
        max_length=2,
        description="[n] or [n, 1] for a column of n rows, [n, columns] for all columns at once.",
    )
    datatype: Datatype
    parameters: InputParameters | None = None
    data: Any = Field(
        default=None, description="The elements row by row, in one array or in nested ones. null is a missing value."
    )


class OutputParameters(BaseModel):
    """How a tensor is to be answered. Other parameters are allowed, and mean nothing here."""

    binary_data: bool | None = None


class RequestedOutput(BaseModel):
    """A tensor that is to be answered."""

    name: str
    parameters: OutputParameters | None = None


class RequestParameters(BaseModel):
    """What concerns the whole request. Other parameters are allowed, and mean nothing here."""

    binary_data_output: bool | None = Field(default=None, description="Whether all outputs are to be binary.")
    unknown_categories: UnknownCategories = Field(
        default="refuse",
        description="Of Backprop: what is done about a category that the training data did not have, see "
        "POST /v1/models/{model_id}/predict.",
    )


def _null_as_none_named(given: object) -> object:
    """Some clients write null for what they leave out."""
    return [] if given is None else given


class InferenceRequest(BaseModel):
    """Rows to predict for, as tensors. Keys that are not known are not looked at."""

    id: str | None = Field(default=None, description="Comes back in the answer.")
    parameters: RequestParameters | None = None
    inputs: Annotated[list[InputTensor], FailFast()] = Field(min_length=1)
    outputs: Annotated[list[RequestedOutput], FailFast(), BeforeValidator(_null_as_none_named)] = Field(
        default=[], description="What is to be answered, in this order. Default: all."
    )


class OutputTensor(BaseModel):
    """A tensor that a model answers."""

    name: str
    datatype: Datatype
    shape: list[int]
    parameters: dict[str, Any] | None = Field(
        default=None, description="`classes` of scores; `binary_data_size` where the data comes after the JSON."
    )
    data: list[Any] | None = Field(default=None, description="The elements row by row, in one array.")


class InferenceResponse(BaseModel):
    """A model's answer."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, Any] | None = Field(
        default=None,
        description="`unknown`: the values that count as missing since the training data did not have them, each with "
        "row and column.",
    )
    outputs: list[OutputTensor]
