"""Bodies of requests read as tensors: JSON, and binary tensors behind it."""

from __future__ import annotations

from typing import NamedTuple

from backprop_client.wire.oip.datatypes import HEADER_LENGTH
from backprop_client.wire.oip.inference import InferenceRequest, InputTensor
from domain.inference.binary_tensors import from_binary
from domain.inference.json_tensors import DataDoesNotFit, from_json
from domain.inference.json_text import parsed
from domain.models.prediction import check_rows
from domain.models.tensors.tensor import Tensor, elements, unfit_tensor
from domain.models.value_reading import shown
from infra.errors import FieldError, InvalidRequest, TooLarge


class Limits(NamedTuple):
    """What a request may have at most.

    Attributes:
        rows: of a tensor.
        containers: objects and arrays in the JSON. Each takes thirty times the memory of its two characters.
    """

    rows: int
    containers: int


class ReadRequest(NamedTuple):
    """A request.

    Attributes:
        said: what its JSON says, the data of the tensors not looked at.
        tensors: its inputs, in their order.
    """

    said: InferenceRequest
    tensors: list[Tensor]


def read_request(body: bytes, json_bytes: int | None, limits: Limits) -> ReadRequest:
    """The request that a body holds.

    Args:
        body: all of it.
        json_bytes: how many bytes of it are JSON, as the header says; None if all are.
        limits: of rows and objects.

    Raises:
        NotJson: it is no JSON, or none that is read.
        ValidationError: the JSON is no request.
        InvalidRequest: the tensors are not what shapes and datatypes say (code ``invalid_tensor``), or the header lies
            (code ``invalid_request``).
        TooLarge: too many rows or objects.
    """
    raw = memoryview(body)
    if json_bytes is None:
        json_bytes = len(body)
    elif json_bytes > len(body):
        raise _lying_header(f"says that {json_bytes:,} bytes are JSON, and the body has {len(body):,}")
    said = _said(raw[:json_bytes], limits)
    return ReadRequest(said, _tensors(said, raw[json_bytes:], limits))


def _said(text: memoryview, limits: Limits) -> InferenceRequest:
    plain = bytes(text)
    if plain.count(b"{") + plain.count(b"[") > limits.containers:
        raise TooLarge("too_many_values", f"The body has more than {limits.containers:,} objects and arrays.")
    said = parsed(plain)
    if not isinstance(said, dict):
        raise InvalidRequest("invalid_request", "The body must be a JSON object.")
    return InferenceRequest.model_validate(said)


def _tensors(said: InferenceRequest, binary: memoryview, limits: Limits) -> list[Tensor]:
    """All inputs; the binary ones take what lies behind the JSON, one after the other."""
    tensors: list[Tensor] = []
    for place, given in enumerate(said.inputs):
        check_rows(given.shape[0], limits.rows)
        size = None if given.parameters is None else given.parameters.binary_data_size
        try:
            tensors.append(_tensor(given, size, binary))
        except DataDoesNotFit as problem:
            raise unfit_tensor(f"/inputs/{place}", f"Tensor {shown(given.name)} {problem}.") from None
        binary = binary[size or 0 :]
    if binary:
        raise _lying_header(f"leaves {len(binary):,} bytes after the JSON that no tensor's binary_data_size claims")
    return tensors


def _tensor(given: InputTensor, size: int | None, binary: memoryview) -> Tensor:
    shape = tuple(given.shape)
    if size is None:
        return Tensor(given.name, given.datatype, shape, from_json(given.data, shape, given.datatype))
    if given.data is not None:
        raise DataDoesNotFit("has both data and a binary_data_size")
    if size > len(binary):
        raise DataDoesNotFit(
            f"has a binary_data_size of {size:,} bytes, and {len(binary):,} are left behind the JSON, whose length the "
            f"header {HEADER_LENGTH} tells"
        )
    return Tensor(given.name, given.datatype, shape, from_binary(binary[:size], elements(shape), given.datatype))


def _lying_header(what: str) -> InvalidRequest:
    message = f"The header {HEADER_LENGTH} {what}."
    return InvalidRequest("invalid_request", message, (FieldError(HEADER_LENGTH, message),))
