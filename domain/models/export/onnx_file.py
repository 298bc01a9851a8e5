"""A model as an ONNX file that ONNX Runtime has been seen to answer with as the model itself does.

It needs the extra `onnx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from onnx import ModelProto, helper

from backprop.model import TrainedModel
from domain.models.export.agreement import check_agreement
from domain.models.export.graph.answers import Answers
from domain.models.export.graph.builder import GraphBuilder
from domain.models.export.graph.columns import coded_rows
from domain.models.export.graph.layers import outputs_of_network
from domain.models.export.ports import inputs_of, outputs_of
from domain.models.export.rows_to_compare import Batches
from infra.errors import TooLarge

OPSET = 21
IR = 10
"""Versions of ONNX's operators and of its file. ONNX Runtime reads these from 1.18 (May 2024) on."""

MOST_BYTES = 2**31 - 2**26
"""Bytes. A file of Protocol Buffers cannot have more than 2 GiB; some of them are for what is not weights."""


def onnx_file(trained: TrainedModel, facts: Mapping[str, str], batches: Batches) -> bytes:
    """The file.

    Args:
        trained: the model.
        facts: what is told of it in the file's ``metadata_props``.
        batches: rows on which the file and the model must agree.

    Raises:
        Conflict: they do not (code ``onnx_differs``).
        TooLarge: the weights are too many for the format (code ``export_too_large``).
    """
    if trained.parameters.vector.nbytes > MOST_BYTES:
        raise TooLarge(
            "export_too_large",
            f"The weights take {trained.parameters.vector.nbytes:,} bytes, and an ONNX file has room for "
            f"{MOST_BYTES:,}. They can be had as safetensors (GET /v1/models/{{id}}/weights).",
        )
    content: bytes = onnx_model(trained, facts).SerializeToString()
    check_agreement(content, trained, batches)
    return content


def onnx_model(trained: TrainedModel, facts: Mapping[str, str]) -> ModelProto:
    """The way from columns to answers, as core operators."""
    coding, parameters = trained.coding, trained.parameters
    outputs = outputs_of(coding)
    graph = GraphBuilder(inputs_of(coding.inputs), outputs)
    dtype = parameters.vector.dtype.type
    rows = coded_rows(graph, coding.inputs, dtype)
    activations = outputs_of_network(graph, parameters, rows.X)
    answers = Answers(graph, coding, dtype, activations, rows.unusable)
    for port, value in zip(outputs, answers.values(), strict=True):
        graph.answer(port, value)
    model = helper.make_model(
        graph.graph("backprop"),
        producer_name="backprop",
        producer_version=version("backprop"),
        ir_version=IR,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    helper.set_model_props(model, dict(facts))
    return model
