"""The same training by each of the peers: run as a process of its own, it takes orders on stdin.

Every line of stdin is a number of iterations; the answer is a line of JSON: the seconds they took and J before each.
Every contender gives J at every iteration, as ours does. Those that can are asked only at the end to hand it over.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from backprop.passes.usual import usual_pass
from backprop.training import Run, Training
from benchmarks.shapes import LEARNING_RATE, LINEAR_LEARNING_RATE, SHAPES, Shape

Advance = Callable[[int], list[float]]
"""Trains for some more iterations; gives J before each."""


def backprop_contender(shape: Shape, threads: int, output: str = "sigmoid") -> Advance:
    """Our core."""
    X, Y = shape.data()
    learning_rate = LINEAR_LEARNING_RATE if output == "linear" else LEARNING_RATE
    training = Training(iterations=10**9, learning_rate=learning_rate)
    pass_ = usual_pass(shape.network(output), X, Y, training.objective(), threads=threads)
    records = Run(training, pass_, parameters=shape.start(output)).records()
    return lambda iterations: [record.cost for record in islice(records, iterations)]


def backprop_linear_output(shape: Shape, threads: int) -> Advance:
    """The same with a linear output layer, which is what scikit-learn's regressor has."""
    return backprop_contender(shape, threads, "linear")


def torch_eager(shape: Shape, threads: int) -> Advance:
    """PyTorch with autograd; parameters updated by one fused call."""
    import torch

    torch.set_num_threads(threads)
    X, Y = (torch.from_numpy(array) for array in shape.data())
    parameters = [torch.tensor(array, requires_grad=True) for array in shape.start().to_arrays().values()]

    def advance(iterations: int) -> list[float]:
        costs = []
        for _ in range(iterations):
            cost = _torch_cost(parameters, X, Y)
            gradients = torch.autograd.grad(cost, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)
            costs.append(cost.detach())
        return [float(cost) for cost in costs]

    return advance


def torch_compiled(shape: Shape, threads: int, **options: Any) -> Advance:
    """PyTorch with the whole step, gradient and update, compiled into one graph."""
    import torch

    torch.set_num_threads(threads)
    X, Y = (torch.from_numpy(array) for array in shape.data())
    parameters = [torch.from_numpy(array) for array in shape.start().to_arrays().values()]

    def step(parameters: list[Any], X: Any, Y: Any) -> tuple[list[Any], Any]:
        gradients, cost = torch.func.grad_and_value(_torch_cost)(parameters, X, Y)
        return [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)], cost

    compiled = torch.compile(step, fullgraph=True, dynamic=False, **options)

    def advance(iterations: int) -> list[float]:
        nonlocal parameters
        costs = []
        with torch.no_grad():
            for _ in range(iterations):
                parameters, cost = compiled(parameters, X, Y)
                costs.append(cost)
        return [float(cost) for cost in costs]

    return advance


def torch_cpp_wrapper(shape: Shape, threads: int) -> Advance:
    """The same without Python between the compiled kernels."""
    return torch_compiled(shape, threads, options={"cpp_wrapper": True})


def torch_max_autotune(shape: Shape, threads: int) -> Advance:
    """The same, choosing among generated matrix products by timing them."""
    return torch_compiled(shape, threads, mode="max-autotune-no-cudagraphs")


def _torch_cost(parameters: list[Any], X: Any, Y: Any) -> Any:
    import torch

    a = X
    for W, b in zip(parameters[::2], parameters[1::2], strict=True):
        a = torch.sigmoid(torch.nn.functional.linear(a, W, b))
    return (a - Y).square().sum() / (2 * len(X))


def _jax_step(shape: Shape) -> tuple[Any, Any]:
    """The initial parameters, and the function from parameters to the next parameters and J."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", shape.dtype == "float64")
    X, Y = (jnp.asarray(array) for array in shape.data())
    parameters = [jnp.asarray(array) for array in shape.start().to_arrays().values()]

    def cost(parameters: Any, X: Any, Y: Any) -> Any:
        a = X
        for W, b in zip(parameters[::2], parameters[1::2], strict=True):
            a = jax.nn.sigmoid(a @ W.T + b)
        return jnp.sum((a - Y) ** 2) / (2 * len(X))

    def step(parameters: Any, X: Any, Y: Any) -> tuple[Any, Any]:
        J, gradients = jax.value_and_grad(cost)(parameters, X, Y)
        return [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)], J

    return parameters, (step, X, Y)


def jax_jit(shape: Shape, threads: int) -> Advance:
    """JAX with the whole step compiled; called once an iteration, without waiting for its result."""
    import jax

    parameters, (step, X, Y) = _jax_step(shape)
    compiled = jax.jit(step, donate_argnums=0)

    def advance(iterations: int) -> list[float]:
        nonlocal parameters
        costs = []
        for _ in range(iterations):
            parameters, cost = compiled(parameters, X, Y)
            costs.append(cost)
        jax.block_until_ready(parameters)
        return [float(cost) for cost in costs]

    return advance


def jax_scan(shape: Shape, threads: int) -> Advance:
    """JAX with all the iterations that are timed compiled into one loop: J can be had only when it ends."""
    import jax

    parameters, (step, X, Y) = _jax_step(shape)

    def many(parameters: Any, X: Any, Y: Any, iterations: int) -> tuple[Any, Any]:
        return jax.lax.scan(lambda p, _: step(p, X, Y), parameters, length=iterations)

    compiled = jax.jit(many, static_argnums=3, donate_argnums=0)

    def advance(iterations: int) -> list[float]:
        nonlocal parameters
        parameters, costs = compiled(parameters, X, Y, iterations)
        return [float(cost) for cost in np.asarray(costs)]

    return advance


def scikit_learn(shape: Shape, threads: int) -> Advance:
    """scikit-learn's regressor; its output is linear, and its loss, unlike its gradient, is divided by the outputs."""
    from sklearn.neural_network import MLPRegressor

    X, Y = shape.data()
    outputs = shape.sizes[-1]
    model = MLPRegressor(
        hidden_layer_sizes=shape.sizes[1:-1],
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=shape.m,
        learning_rate_init=LINEAR_LEARNING_RATE,
        momentum=0,
        shuffle=False,
        max_iter=1,
        n_iter_no_change=10**9,
        warm_start=True,
    )
    import warnings

    warnings.simplefilter("ignore")  # that it has not converged after so few iterations
    targets = Y[:, 0] if outputs == 1 else Y
    model.fit(X, targets)
    start = shape.start("linear")
    model.coefs_ = [np.ascontiguousarray(W.T) for W in start.W]
    model.intercepts_ = [b.copy() for b in start.b]
    model._optimizer.params = model.coefs_ + model.intercepts_
    model.loss_curve_ = []

    def advance(iterations: int) -> list[float]:
        before = len(model.loss_curve_)
        model.set_params(max_iter=iterations)
        model.fit(X, targets)
        return [loss * outputs for loss in model.loss_curve_[before:]]

    return advance


CONTENDERS: dict[str, Callable[[Shape, int], Advance]] = {
    "backprop": backprop_contender,
    "PyTorch eager": torch_eager,
    "PyTorch compiled": torch_compiled,
    "PyTorch compiled, C++ wrapper": torch_cpp_wrapper,
    "PyTorch compiled, max-autotune": torch_max_autotune,
    "JAX jit": jax_jit,
    "JAX scan": jax_scan,
    "scikit-learn (linear output)": scikit_learn,
    "backprop (linear output)": backprop_linear_output,
}


def main() -> None:
    """Be the contender named by the arguments: name, place of the shape, threads."""
    advance = CONTENDERS[sys.argv[1]](SHAPES[int(sys.argv[2])], int(sys.argv[3]))
    for line in sys.stdin:
        before = time.perf_counter()
        costs = advance(int(line))
        seconds = time.perf_counter() - before
        print(json.dumps({"seconds": seconds, "costs": costs}), flush=True)


if __name__ == "__main__":
    main()
