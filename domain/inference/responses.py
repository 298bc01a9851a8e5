"""Answers written as bodies: JSON, and binary tensors behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from backprop_client.wire.models import UnknownCategory
from backprop_client.wire.oip.inference import InferenceRequest, RequestedOutput
from domain.inference.binary_tensors import to_binary
from domain.inference.json_tensors import to_json
from domain.models.prediction import Predictions
from domain.models.tensors.answers import Output, answered
from domain.models.value_reading import shown
from infra.errors import FieldError, InvalidRequest


class ChosenOutput(NamedTuple):
    """A tensor that is answered, and how."""

    output: Output
    is_binary: bool


class Served(NamedTuple):
    """What answers.

    Attributes:
        name: of the model, as it was asked for.
        version: its version, as the protocol writes it.
    """

    name: str
    version: str


class AnswerBody(NamedTuple):
    """A body.

    Attributes:
        content: all of it.
        json_bytes: how many bytes of it are JSON; None if all are.
    """

    content: bytes
    json_bytes: int | None


def chosen_outputs(said: InferenceRequest, outputs: Sequence[Output]) -> list[ChosenOutput]:
    """The outputs that a request asks for, in its order; all of them if it names none.

    Raises:
        InvalidRequest: the model has none of that name (code ``unknown_output``), or it is named twice (code
            ``invalid_request``).
    """
    all_binary = bool(said.parameters and said.parameters.binary_data_output)
    if not said.outputs:
        return [ChosenOutput(output, all_binary) for output in outputs]
    by_name = {output.name: output for output in outputs}
    chosen: dict[str, ChosenOutput] = {}
    for place, requested in enumerate(said.outputs):
        if requested.name not in by_name:
            known = ", ".join(shown(output.name) for output in outputs[:10]) + (", …" if len(outputs) > 10 else "")
            message = f"The model has no output {shown(requested.name)}. It has {known}."
            raise InvalidRequest("unknown_output", message, (FieldError(f"/outputs/{place}/name", message),))
        if requested.name in chosen:
            message = f"The output {shown(requested.name)} is asked for twice."
            raise InvalidRequest("invalid_request", message, (FieldError(f"/outputs/{place}/name", message),))
        chosen[requested.name] = ChosenOutput(by_name[requested.name], _is_binary(requested, all_binary))
    return list(chosen.values())


def answer_body(
    served: Served, said: InferenceRequest, predictions: Predictions, chosen: Sequence[ChosenOutput]
) -> AnswerBody:
    """The body that answers a request with some of the outputs."""
    binary: list[bytes] = []
    outputs: list[dict[str, Any]] = []
    for output, is_binary in chosen:
        tensor = answered(predictions, output)
        told: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}
        parameters: dict[str, Any] = {"classes": output.classes} if output.classes else {}
        if is_binary:
            binary.append(to_binary(tensor.values, tensor.datatype))
            parameters["binary_data_size"] = len(binary[-1])
        if parameters:
            told["parameters"] = parameters
        if not is_binary:
            told["data"] = to_json(tensor.values)
        outputs.append(told)
    answer: dict[str, Any] = {"model_name": served.name, "model_version": served.version}
    if said.id is not None:
        answer["id"] = said.id
    if predictions.unknown:
        answer["parameters"] = {"unknown": [_told(each) for each in predictions.unknown]}
    text = orjson.dumps(answer | {"outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    return AnswerBody(b"".join((text, *binary)), len(text)) if binary else AnswerBody(text, None)


def _is_binary(requested: RequestedOutput, by_default: bool) -> bool:
    said = None if requested.parameters is None else requested.parameters.binary_data
    return by_default if said is None else said


def _told(unknown: UnknownCategory) -> dict[str, Any]:
    return {"row": unknown.row, "column": unknown.column}
