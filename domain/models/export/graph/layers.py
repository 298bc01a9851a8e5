"""The network as nodes: a Gemm for each layer, and its activation."""

from __future__ import annotations

import numpy as np

from backprop.network import Parameters
from domain.models.export.graph.builder import GraphBuilder

ACTIVATIONS: dict[str, str | None] = {
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "Relu",
    "linear": None,
    "softmax": "Softmax",
}
"""The operator that is each activation; None for none. Softmax takes the last axis, as ours does."""


def outputs_of_network(graph: GraphBuilder, parameters: Parameters, X: str) -> str:
    """The output layer's activations, (n, outputs), of the parameters' type, for coded rows."""
    a = X
    layers = zip(parameters.W, parameters.b, parameters.network.layers, strict=True)
    for number, (W, b, layer) in enumerate(layers, start=1):
        weights = graph.constant(np.ascontiguousarray(W), f"W{number}")
        biases = graph.constant(np.ascontiguousarray(b), f"b{number}")
        a = graph.node("Gemm", a, weights, biases, transB=1)
        operator = ACTIVATIONS[layer.activation]
        if operator is not None:
            a = graph.node(operator, a)
    return a
