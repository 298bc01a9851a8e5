"""What the service trains is what the tutorial's page says, number for number, however the data came in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import oracle
from tests.support.service import Service, csv_text

Floats = NDArray[np.float64]


def scaled(values: Floats, scaler: dict[str, Any]) -> Floats:
    """(value − offset) / scale, as the model's documentation says."""
    scaled_values: Floats = (values - np.array(scaler["offset"])) / np.array(scaler["scale"])
    return scaled_values


def network(*layers: tuple[int | None, str]) -> dict[str, Any]:
    return {"layers": [{"activation": name} | ({"units": units} if units else {}) for units, name in layers]}


def check(service: Service, body: dict[str, Any], X: Floats, Y: Floats, activations: Sequence[str]) -> dict[str, Any]:
    """Train over REST and again by the oracle, from the weights a job of 0 iterations gives; gives the model."""
    training = body["training"]
    start = service.train({**body, "training": {"preset": "tutorial", **training, "iterations": 0}})
    job = service.train(body)
    assert (start["status"], job["status"]) == ("succeeded", "succeeded"), (start["error"], job["error"])
    rows = service.costs(job["id"])
    assert [row["iteration"] for row in rows] == list(range(training["iterations"] + 1))
    data_costs, decay_costs, weights = oracle.train(
        service.weights(start["model_id"]),
        activations,
        X,
        Y,
        learning_rate=training["learning_rate"],
        weight_decay=training["weight_decay"],
        iterations=training["iterations"],
    )
    np.testing.assert_allclose([row["data_cost"] for row in rows], data_costs, rtol=1e-9)
    np.testing.assert_allclose([row["decay_cost"] for row in rows], decay_costs, rtol=1e-9)
    np.testing.assert_allclose([row["cost"] for row in rows], np.add(data_costs, decay_costs), rtol=1e-9)
    for name, value in service.weights(job["model_id"]).items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-8, atol=1e-12)
    model: dict[str, Any] = service.api.get(f"/v1/models/{job['model_id']}").json()
    assert model["cost"] == job["cost"] == rows[-1]["cost"]
    return model


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
def test_regression_on_one_or_many_targets(service: Service, outputs: int, output: str) -> None:
    rng = np.random.default_rng(outputs)
    x = rng.normal(5, 3, (40, 4))
    y = x @ rng.normal(size=(4, outputs)) + rng.normal(size=(40, outputs))
    names = [f"x{i}" for i in range(4)] + [f"t{i}" for i in range(outputs)]
    dataset = service.upload_csv(csv_text(names, np.hstack([x, y]).tolist()))
    X = (x - x.mean(0)) / x.std(0)
    low, high = {"sigmoid": (0, 1), "tanh": (-1, 1), "linear": (0, 0)}[output]
    Y = (y - y.mean(0)) / y.std(0) if output == "linear" else low + (high - low) * (y - y.min(0)) / np.ptp(y, axis=0)
    body = {
        "dataset_id": dataset["id"],
        "targets": names[4:],
        "network": network((6, "tanh"), (None, output)),
        "training": {
            "preset": "tutorial",
            "iterations": 25,
            "learning_rate": 0.05,
            "weight_decay": 0.01,
            "init": "uniform",
            "seed": 3,
        },
    }
    model = check(service, body, X, Y, ["tanh", output])
    np.testing.assert_allclose(scaled(x, model["preprocessing"]["inputs"]["scaler"]), X, rtol=1e-9, atol=1e-12)
    # Predictions come back in the targets' own units.
    weights = service.weights(model["id"])
    a = oracle.F["tanh"](X @ weights["W1"].T + weights["b1"])
    h = oracle.F[output](a @ weights["W2"].T + weights["b2"])
    expected = (
        h * y.std(0) + y.mean(0) if output == "linear" else y.min(0) + (h - low) / (high - low) * np.ptp(y, axis=0)
    )
    predictions = service.predict(model["id"], x.tolist())
    by_row = [[one] if outputs == 1 else [one[name] for name in names[4:]] for one in predictions]
    np.testing.assert_allclose(by_row, expected, rtol=1e-9)
    residual = expected - y
    metrics = model["metrics"]["training"]
    np.testing.assert_allclose([metrics["rmse"][t] for t in names[4:]], np.sqrt((residual**2).mean(0)), rtol=1e-9)
    r2 = 1 - (residual**2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose([metrics["r2"][t] for t in names[4:]], r2, rtol=1e-9)


def held_out_of_each_class(classes: NDArray[np.str_], fraction: float, seed: int) -> NDArray[np.intp]:
    """The recipe of docs/jobs.md, as a reader of it would write it."""
    m = len(classes)
    labels, counts = np.unique(classes, return_counts=True)
    wanted = max(1, round(fraction * m))
    shares = {label: wanted * n // m for label, n in zip(labels, counts.tolist(), strict=True)}
    remainders = {
        label: wanted * n % m for label, n in zip(labels, counts.tolist(), strict=True) if shares[label] < n - 1
    }
    left = wanted - sum(shares.values())
    for label in sorted(remainders, key=lambda label: -remainders[label])[:left]:
        shares[label] += 1
    held = []
    for i in np.random.default_rng(seed).permutation(m):
        if shares[classes[i]]:
            shares[classes[i]] -= 1
            held.append(i)
    return np.array(held)


@pytest.mark.parametrize(("output", "low", "high"), [("sigmoid", 0.0, 1.0), ("tanh", -1.0, 1.0)])
@pytest.mark.parametrize("labels", [["no", "yes"], ["blue", "green", "red"]])
def test_classification_with_category_inputs_and_held_out_rows(
    service: Service, output: str, low: float, high: float, labels: list[str]
) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(60, 2))
    shapes = rng.choice(["round", 'a "quoted", one', "flat"], 60)
    classes = rng.choice(labels, 60)
    classes[: len(labels)] = labels
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["a", "shape", "b", "label"])
    writer.writerows(zip(numbers[:, 0].tolist(), shapes, numbers[:, 1].tolist(), classes, strict=True))
    dataset = service.upload_csv(buffer.getvalue())
    held = held_out_of_each_class(classes, 0.25, seed=5)
    kept = np.setdiff1d(np.arange(60), held)
    units = np.array(sorted(set(shapes)))
    a, b = ((numbers - numbers[kept].mean(0)) / numbers[kept].std(0)).T
    X = np.column_stack([a, shapes[:, None] == units, b]).astype(float)
    hot = classes[:, None] == np.array(labels)
    Y = np.where(hot[:, 1:] if len(labels) == 2 else hot, high, low)
    body = {
        "dataset_id": dataset["id"],
        "targets": ["label"],
        "network": network((5, "sigmoid"), (4, "relu"), (None, output)),
        "holdout": 0.25,
        "training": {
            "preset": "tutorial",
            "iterations": 20,
            "learning_rate": 0.3,
            "weight_decay": 0.001,
            "init": "uniform",
            "seed": 5,
        },
    }
    model = check(service, body, X[kept], Y[kept], ["sigmoid", "relu", output])
    assert (model["task"], model["sizes"]) == ("classification", [5, 5, 4, Y.shape[1]])
    assert (model["metrics"]["training"]["rows"], model["metrics"]["held_out"]["rows"]) == (45, 15)
    rows = [
        {"a": numbers[i, 0], "shape": str(shapes[i]), "b": numbers[i, 1], "label": str(classes[i])} for i in range(60)
    ]
    answer = service.answer(model["id"], rows)
    right = np.array([p == label for p, label in zip(answer["predictions"], classes, strict=True)])
    assert model["metrics"]["held_out"]["accuracy"] == pytest.approx(right[held].mean())
    assert model["metrics"]["training"]["accuracy"] == pytest.approx(right[kept].mean())
    assert answer["classes"] == labels
    assert [labels[int(np.argmax(scores))] for scores in answer["scores"]] == answer["predictions"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reconstruction_of_arrays(service: Service, dtype: str) -> None:
    x = np.random.default_rng(2).uniform(0.1, 0.9, (30, 8))
    dataset = service.upload_arrays(x=x)
    body = {
        "dataset_id": dataset["id"],
        "task": "reconstruction",
        "scaling": "none",
        "network": network((3, "sigmoid"), (None, "sigmoid")),
        "training": {
            "preset": "tutorial",
            "iterations": 15,
            "learning_rate": 1.0,
            "weight_decay": 1e-4,
            "dtype": dtype,
        },
    }
    if dtype == "float64":
        model = check(service, body, x, x, ["sigmoid", "sigmoid"])
    else:
        job = service.train(body)
        model = service.api.get(f"/v1/models/{job['model_id']}").json()
        assert service.weights(model["id"])["W1"].dtype == np.float32
    prediction = service.predict(model["id"], x[:1].tolist())[0]
    weights = service.weights(model["id"])
    h = oracle.F["sigmoid"](weights["W2"] @ oracle.F["sigmoid"](weights["W1"] @ x[0] + weights["b1"]) + weights["b2"])
    np.testing.assert_allclose(list(prediction.values()), h, rtol=1e-9 if dtype == "float64" else 1e-5)


def test_the_initial_weights_are_those_of_the_documented_recipe(service: Service) -> None:
    dataset = service.upload_csv("a,b,t\n2,2,0.5\n1,1,0.25\n3,5,0.125\n")
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["t"],
            "network": network((3, "tanh"), (None, "sigmoid")),
            "training": {"preset": "tutorial", "iterations": 0, "seed": 42, "epsilon": 0.02},
        }
    )
    weights = service.weights(job["model_id"])
    generator = np.random.default_rng(42)
    for name, shape in [("W1", (3, 2)), ("b1", (3,)), ("W2", (1, 3)), ("b2", (1,))]:
        np.testing.assert_array_equal(weights[name], generator.normal(0, 0.02, shape))
