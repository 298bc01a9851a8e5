"""What a network is: its layers, its parameters (W, b), their initial values, and the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backprop.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS

Array = NDArray[Any]

BLOCK_VALUES = 2**20
"""Values. `predict` computes so many of its widest layer at once."""


@dataclass(frozen=True)
class Layer:
    """A layer of units after the input layer."""

    units: int
    activation: str


@dataclass(frozen=True)
class Network:
    """A fully connected feed-forward network.

    Attributes:
        inputs: s_1, the number of input units.
        layers: hidden layers in order, then the output layer.

    Raises:
        ValueError: no input, no layer, a layer without units, or an activation that its layer cannot have.
    """

    inputs: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a network needs at least an output layer")
        if self.inputs < 1:
            raise ValueError(f"a network needs at least one input, not {self.inputs}")
        for number, layer in enumerate(self.layers, start=2):
            if layer.units < 1:
                raise ValueError(f"layer {number} needs at least one unit, not {layer.units}")
            allowed = OUTPUT_ACTIVATIONS if number == len(self.layers) + 1 else HIDDEN_ACTIVATIONS
            if layer.activation not in allowed:
                raise ValueError(
                    f"the activation of layer {number} is one of {', '.join(allowed)}, not {layer.activation!r}"
                )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of every layer, (s_1, …, s_nl), the input layer included."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def outputs(self) -> int:
        """s_nl, the number of output units."""
        return self.layers[-1].units

    @property
    def parameter_count(self) -> int:
        """Σ s_{l+1} (s_l + 1): all weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: ``{"sizes": [s_1, …, s_nl], "layers": [{"units": s_2, "activation": …}, …]}``."""
        layers = [{"units": layer.units, "activation": layer.activation} for layer in self.layers]
        return {"sizes": list(self.sizes), "layers": layers}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Network:
        """What `to_json` gave.

        Raises:
            ValueError: there are not as many sizes as layers, or it is no network.
        """
        inputs, *units = stored["sizes"]
        layers = zip(units, stored["layers"], strict=True)
        return cls(inputs, tuple(Layer(count, layer["activation"]) for count, layer in layers))


class Parameters:
    """A network's weights and biases as one flat vector, so that an update is one operation.

    The vector holds layer after layer the matrix [W(l) | b(l)], row by row: the bias is the last column, as if it were
    the weight of one more unit whose activation is always 1. Everything else here is a view into it.

    Attributes:
        network: whose parameters they are.
        vector: all parameters, (parameter_count,), float32 or float64.
        Wb: [W(l) | b(l)] for every layer but the last, (s_{l+1}, s_l + 1).
        W: weights, (s_{l+1}, s_l): ``W[l - 1][i, j]`` joins unit j of layer l to unit i of layer l + 1.
        b: biases, (s_{l+1},).

    Raises:
        ValueError: the vector has another shape, dtype or memory layout than these.
    """

    def __init__(self, network: Network, vector: Array) -> None:
        if vector.shape != (network.parameter_count,):
            raise ValueError(f"the network has {network.parameter_count} parameters, not {vector.shape}")
        if vector.dtype not in (np.float32, np.float64) or not vector.flags.c_contiguous:
            raise ValueError("parameters are a contiguous vector of float32 or float64")
        self.network = network
        self.vector = vector
        matrices: list[Array] = []
        start = 0
        for n_in, n_out in zip(network.sizes, network.sizes[1:], strict=False):
            stop = start + n_out * (n_in + 1)
            matrices.append(vector[start:stop].reshape(n_out, n_in + 1))
            start = stop
        self.Wb = tuple(matrices)
        self.W = tuple(matrix[:, :-1] for matrix in matrices)
        self.b = tuple(matrix[:, -1] for matrix in matrices)

    @classmethod
    def zeros(cls, network: Network, dtype: DTypeLike) -> Parameters:
        """A network's parameters, or a gradient with respect to them, all 0."""
        return cls(network, np.zeros(network.parameter_count, dtype))

    def __reduce__(self) -> tuple[type[Parameters], tuple[Network, Array]]:
        """For pickle, which would make arrays of their own of the views."""
        return Parameters, (self.network, self.vector)

    def copy(self) -> Parameters:
        """The same values in a vector of their own."""
        return Parameters(self.network, self.vector.copy())

    def astype(self, dtype: DTypeLike) -> Parameters:
        """The same values, rounded to that dtype, in a vector of their own."""
        return Parameters(self.network, self.vector.astype(dtype))

    def to_arrays(self) -> dict[str, Array]:
        """Copies of all weights and biases: ``{"W1": (s_2, s_1), "b1": (s_2,), "W2": …}``, each C-contiguous."""
        arrays: dict[str, Array] = {}
        for number, (W, b) in enumerate(zip(self.W, self.b, strict=True), start=1):
            arrays[f"W{number}"] = np.array(W, order="C")
            arrays[f"b{number}"] = np.array(b, order="C")
        return arrays

    @classmethod
    def from_arrays(cls, network: Network, arrays: Mapping[str, Array]) -> Parameters:
        """The inverse of `to_arrays`.

        Raises:
            ValueError: an array is missing, superfluous, or of another shape or dtype than the network's.
        """
        expected = {f"{kind}{number}" for number in range(1, len(network.layers) + 1) for kind in "Wb"}
        if set(arrays) != expected:
            raise ValueError(f"expected the arrays {sorted(expected)}, not {sorted(arrays)}")
        parameters = cls.zeros(network, arrays["W1"].dtype)
        for number, (W, b) in enumerate(zip(parameters.W, parameters.b, strict=True), start=1):
            for name, view in ((f"W{number}", W), (f"b{number}", b)):
                array = arrays[name]
                if array.shape != view.shape or array.dtype != view.dtype:
                    raise ValueError(
                        f"{name} should be {view.shape} of {view.dtype}, not {array.shape} of {array.dtype}"
                    )
                view[...] = array
        return parameters


def initial_parameters(
    network: Network,
    *,
    init: Literal["normal", "uniform"] = "normal",
    epsilon: float = 0.01,
    seed: int,
    dtype: DTypeLike,
) -> Parameters:
    """Random parameters to start training from; never all equal, since equal hidden units would stay equal.

    The generator is ``numpy.random.default_rng(seed)`` (PCG64). Layer by layer, l = 1, 2, …, it is asked for

    - ``normal``: ``standard_normal((s_{l+1}, s_l))`` for W(l), then ``standard_normal(s_{l+1})`` for b(l), each times
      ε: every W_ij and b_i ~ N(0, ε²);
    - ``uniform``: ``uniform(-r, r, (s_{l+1}, s_l))`` for W(l), r = √(6 / (s_l + s_{l+1} + 1)); b(l) = 0, not drawn.

    Always drawn and multiplied in float64, then rounded to `dtype`.

    Raises:
        ValueError: `init` is neither, or `epsilon` is not a positive number.
    """
    if init not in ("normal", "uniform"):
        raise ValueError(f"init is 'normal' or 'uniform', not {init!r}")
    if not 0 < epsilon < np.inf:
        raise ValueError(f"epsilon is a positive number, not {epsilon}")
    generator = np.random.default_rng(seed)
    parameters = Parameters.zeros(network, dtype)
    for W, b in zip(parameters.W, parameters.b, strict=True):
        n_out, n_in = W.shape
        if init == "normal":
            W[...] = epsilon * generator.standard_normal((n_out, n_in))
            b[...] = epsilon * generator.standard_normal(n_out)
        else:
            r = np.sqrt(6 / (n_in + n_out + 1))
            W[...] = generator.uniform(-r, r, (n_out, n_in))
    return parameters


def predict(parameters: Parameters, X: Array) -> Array:
    """h_{W,b}(x) of every row, by forward propagation: a(1) = x, a(l+1) = f(W(l) a(l) + b(l)).

    Args:
        parameters: of the network.
        X: (m, inputs), of any number type, in memory or mapped from a file; read in blocks of rows.

    Returns:
        The output layer's activations, (m, outputs), of the parameters' dtype.

    Raises:
        ValueError: X has another number of columns than the network has inputs.
    """
    network = parameters.network
    if X.ndim != 2 or X.shape[1] != network.inputs:
        raise ValueError(f"X should be (m, {network.inputs}), not {X.shape}")
    outputs = np.empty((len(X), network.outputs), parameters.vector.dtype)
    rows = max(1, BLOCK_VALUES // max(network.sizes))
    for start in range(0, len(X), rows):
        outputs[start : start + rows] = _forward(parameters, X[start : start + rows])
    return outputs


def _forward(parameters: Parameters, X: Array) -> Array:
    a = np.asarray(X, parameters.vector.dtype)
    for W, b, layer in zip(parameters.W, parameters.b, parameters.network.layers, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            z = a @ W.T
            z += b
            ACTIVATIONS[layer.activation].activate(z)
        a = z
    return a
