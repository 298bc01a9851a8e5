"""Every optimizer and term of J, over REST, against automatic differentiation and the optimizers' papers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize
from numpy.typing import NDArray

from tests.support.service import Service

Floats = NDArray[np.float64]
Weights = dict[str, Floats]
J = Callable[[Weights], Any]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

M = 60


class Task:
    """A table of three classes, a job on it, and its J by its definition."""

    def __init__(self, service: Service, hidden: int | None, **training: object) -> None:
        rng = np.random.default_rng(4)
        x = rng.normal(size=(M, 4))
        y = (x @ rng.normal(size=(4, 3)) + rng.normal(size=(M, 3))).argmax(axis=1)
        dataset = service.upload_arrays(x=x, y=y)
        self.service = service
        self.X = (x - x.mean(0)) / x.std(0)
        self.Y = np.eye(3)[y]
        self.weight_decay = 0.01
        self.depth = 1 if hidden is None else 2
        layers: list[dict[str, Any]] = [] if hidden is None else [{"units": hidden, "activation": "sigmoid"}]
        self.body = {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "task": "classification",
            "network": {"layers": [*layers, {"activation": "softmax"}]},
            "training": {
                "preset": "tutorial",
                "weight_decay": self.weight_decay,
                "init": "uniform",
                "seed": 3,
                **training,
            },
        }

    def start(self) -> Weights:
        """The initial weights, which a job of no iterations gives."""
        job = self.service.train(
            {**self.body, "training": {"preset": "tutorial", **self.body["training"], "iterations": 0}}
        )
        return self.service.weights(job["model_id"])

    def cost(self, weights: Weights, rows: Any = slice(None)) -> Any:  # noqa: ANN401  # autograd's own types
        """Cross-entropy of the softmax of these rows, with decay."""
        a = self.X[rows]
        for layer in range(1, self.depth + 1):
            z = anp.dot(a, weights[f"W{layer}"].T) + weights[f"b{layer}"]
            a = 1 / (1 + anp.exp(-z)) if layer < self.depth else anp.exp(z) / anp.exp(z).sum(axis=1, keepdims=True)
        decay = sum(anp.sum(weights[f"W{layer}"] ** 2) for layer in range(1, self.depth + 1))
        return -anp.sum(self.Y[rows] * anp.log(a)) / len(self.Y[rows]) + self.weight_decay / 2 * decay


def step_of(optimizer: str, learning_rate: float) -> Callable[[int, str, Floats], Floats]:
    """What is subtracted from the array of that name at update t = 1, 2, …, given its gradient."""
    first: Weights = {}
    second: Weights = {}

    def descend(t: int, name: str, gradient: Floats) -> Floats:
        return learning_rate * gradient

    def momentum(t: int, name: str, gradient: Floats) -> Floats:
        first[name] = 0.8 * first.get(name, np.zeros_like(gradient)) + learning_rate * gradient
        return first[name]

    def adam(t: int, name: str, gradient: Floats) -> Floats:
        first[name] = 0.9 * first.get(name, np.zeros_like(gradient)) + 0.1 * gradient
        second[name] = 0.999 * second.get(name, np.zeros_like(gradient)) + 0.001 * gradient**2
        m_hat, v_hat = first[name] / (1 - 0.9**t), second[name] / (1 - 0.999**t)
        step: Floats = learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)
        return step

    return {"gradient_descent": descend, "momentum": momentum, "adam": adam}[optimizer]


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize(
    ("optimizer", "fields"),
    [("gradient_descent", {}), ("momentum", {"momentum": 0.8}), ("adam", {})],
    ids=["gradient_descent", "momentum", "adam"],
)
def test_every_cost_on_the_way_is_that_of_the_papers_rule(
    service: Service, optimizer: str, fields: dict[str, Any], batch_size: int | None
) -> None:
    iterations = 30
    task = Task(
        service,
        5,
        optimizer=optimizer,
        learning_rate=0.05,
        batch_size=batch_size,
        iterations=iterations,
        **fields,
    )
    weights = task.start()
    subtracted = step_of(optimizer, 0.05)
    size = batch_size or M
    batches_a_pass = -(-M // size)
    expected = []
    for k in range(iterations + 1):
        passes, place = divmod(k, batches_a_pass)
        order = np.random.default_rng([3, passes]).permutation(M) if batch_size else np.arange(M)
        rows = order[place * size : (place + 1) * size]
        cost, gradient = autograd.value_and_grad(task.cost)(weights, rows)
        expected.append(float(cost))
        if k < iterations:
            weights = {name: weights[name] - subtracted(k + 1, name, gradient[name]) for name in weights}
    job = service.train(task.body)
    costs = service.costs(job["id"])
    np.testing.assert_allclose([row["cost"] for row in costs], expected, rtol=1e-9)
    assert [row["evaluations"] for row in costs] == list(range(1, iterations + 2))
    for name, value in service.weights(job["model_id"]).items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-8, atol=1e-10)


def test_lbfgs_finds_the_minimum_that_scipy_finds(service: Service) -> None:
    """Without hidden units J is strictly convex but for a shift of all biases, so that its minimum is one."""
    task = Task(service, None, optimizer="lbfgs", iterations=500)
    start = task.start()
    shapes = {name: value.shape for name, value in start.items()}

    def unpacked(theta: Floats) -> Weights:
        parts = np.split(theta, np.cumsum([value.size for value in start.values()])[:-1])
        return {name: part.reshape(shapes[name]) for name, part in zip(start, parts, strict=True)}

    def cost_and_gradient(theta: Floats) -> tuple[float, Floats]:
        cost, gradient = autograd.value_and_grad(task.cost)(unpacked(theta))
        return float(cost), np.concatenate([gradient[name].ravel() for name in start])

    theta = np.concatenate([value.ravel() for value in start.values()])
    found = scipy.optimize.minimize(
        cost_and_gradient, theta, jac=True, method="L-BFGS-B", options={"maxiter": 10_000, "gtol": 1e-10, "ftol": 1e-15}
    )
    job = service.train(task.body)
    assert job["stopped_by"] == "no_progress"
    assert job["cost"] == pytest.approx(float(found.fun), rel=1e-10)
    minimum = unpacked(found.x)["W1"]
    np.testing.assert_allclose(service.weights(job["model_id"])["W1"], minimum, atol=1e-5)
    costs = [row["cost"] for row in service.costs(job["id"])]
    assert all(after < before for before, after in pairwise(costs))


def test_tolerance_ends_the_training_at_the_first_gradient_that_is_small_enough(service: Service) -> None:
    task = Task(service, 5, optimizer="lbfgs", iterations=1000, tolerance=1e-3)
    job = service.train(task.body)
    assert job["stopped_by"] == "tolerance"
    before = service.train(
        {
            **task.body,
            "training": {
                "preset": "tutorial",
                **task.body["training"],
                "iterations": job["iteration"] - 1,
                "tolerance": 0,
            },
        }
    )

    def norm_of_gradient(model_id: str) -> float:
        gradient = autograd.grad(task.cost)(service.weights(model_id))
        return float(np.sqrt(sum(np.sum(part**2) for part in gradient.values())))

    assert norm_of_gradient(job["model_id"]) <= 1e-3 < norm_of_gradient(before["model_id"])


def test_the_sparse_autoencoder_of_the_digits_reaches_its_reference(service: Service) -> None:
    """The tutorial's 64-25-64 network: J begins near 56 and ends at 0.933 whatever the seed."""
    with (Path(__file__).parents[2] / "cli" / "examples" / "digits.csv").open(newline="") as file:
        pixels = np.array([row[:64] for row in list(csv.reader(file))[1:]], float)
    x = pixels / 16 * 0.8 + 0.1
    x[0, np.ptp(x, axis=0) == 0] += 1e-6  # a pixel that is always blank would be left out
    dataset = service.upload_arrays(x=x)
    training = {
        "preset": "tutorial",
        "iterations": 400,
        "optimizer": "lbfgs",
        "corrections": 100,
        "weight_decay": 1e-4,
        "sparsity": 0.01,
        "sparsity_weight": 3,
        "init": "uniform",
        "seed": 1,
    }
    body = {
        "dataset_id": dataset["id"],
        "task": "reconstruction",
        "scaling": "none",
        "network": {"layers": [{"units": 25}, {}]},
        "gradient_check": True,
        "training": training,
    }
    start = service.weights(service.train({**body, "training": {**training, "iterations": 0}})["model_id"])
    job = service.train(body)
    assert job["gradient_check"]["relative_difference"] < 1e-9
    costs = service.costs(job["id"])
    assert len(costs) == 401
    assert costs[0]["cost"] == pytest.approx(56, abs=2)
    assert costs[-1]["cost"] == pytest.approx(0.933, abs=0.004)

    def sigmoid(z: Floats) -> Floats:
        a: Floats = 1 / (1 + np.exp(-z))
        return a

    for weights, row in ((start, costs[0]), (service.weights(job["model_id"]), costs[-1])):
        hidden = sigmoid(x @ weights["W1"].T + weights["b1"])
        rho = hidden.mean(axis=0)
        divergence = 0.01 * np.log(0.01 / rho) + 0.99 * np.log(0.99 / (1 - rho))
        errors = sigmoid(hidden @ weights["W2"].T + weights["b2"]) - x
        assert row["data_cost"] == pytest.approx(0.5 * (errors**2).sum() / len(x), rel=1e-10)
        assert row["sparsity_cost"] == pytest.approx(3 * divergence.sum(), rel=1e-10)
        decay = 1e-4 / 2 * ((weights["W1"] ** 2).sum() + (weights["W2"] ** 2).sum())
        assert row["decay_cost"] == pytest.approx(decay, rel=1e-10)


def test_a_gradient_that_the_numerical_one_does_not_confirm_fails_the_job(service: Service) -> None:
    """Inputs so large that a step of 10⁻⁴ leaves the linear part of tanh; the result is kept."""
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(0, 3000, (30, 2)), y=rng.normal(size=30))
    body = {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "scaling": "none",
        "network": {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "linear"}]},
        "training": {"preset": "tutorial", "iterations": 3, "learning_rate": 1e-6, "epsilon": 1e-3},
    }
    job = service.train({**body, "gradient_check": True})
    assert (job["status"], job["error"]["code"]) == ("failed", "gradient_check_failed")
    assert job["gradient_check"]["relative_difference"] > 1e-6
    assert service.costs(job["id"]) == []
    assert service.train(body)["status"] == "succeeded"
