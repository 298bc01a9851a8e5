"""Tables as they come, with gaps, dates, names, constants and all: what is made of them, from upload to prediction."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import oracle
from tests.support.service import Service

Floats = NDArray[np.float64]
Row = dict[str, str]

ROWS = 150
COLUMNS = ("", "name", "age", "when", "clock", "colour", "member", "site", "price")


def table() -> list[Row]:
    rng = np.random.default_rng(3)
    rows: list[Row] = []
    for index in range(ROWS):
        when = datetime(2024, 12, 20, tzinfo=UTC) + timedelta(hours=71 * index)
        values = {
            "": str(index),
            "name": f"person {index}",
            "age": f"{rng.normal(40, 9):.2f}",
            "when": when.strftime("%Y-%m-%d %H:%M"),
            "clock": f"{rng.integers(24):02}:{rng.integers(60):02}",
            "colour": str(rng.choice(["blue", "green", "red"])),
            "member": str(rng.choice(["true", "false"])),
            "site": "north",
            "price": f"{rng.normal(100, 20):.1f}",
        }
        for column in ("age", "when", "colour", "member", "price"):
            if rng.random() < 0.12:
                values[column] = ""
        rows.append(values)
    return rows


def as_csv(rows: list[Row]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def seconds(text: str) -> float:
    """Microseconds since 1970 by 10⁶."""
    moment = datetime.fromisoformat(f"1970-01-01 {text}" if len(text) == len("12:30") else text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) / 1e6


def phase(period: str, s: float) -> float:
    if period == "day":
        return s % 86400 / 86400
    if period == "week":
        return (s - 345600) % 604800 / 604800
    year = datetime.fromtimestamp(s, UTC).year
    start, end = (datetime(each, 1, 1, tzinfo=UTC).timestamp() for each in (year, year + 1))
    return (s - start) / (end - start)


def coded(row: dict[str, Any], inputs: dict[str, Any]) -> list[float]:
    """One row, by what docs/jobs.md says of `preprocessing.inputs`; an empty value is missing."""
    units: list[float] = []
    scales = iter(zip(inputs["scaler"]["offset"], inputs["scaler"]["scale"], inputs["means"], strict=True))
    for column in inputs["features"]:
        text = row[column["name"]]
        if column["categories"] is not None:
            value = {"true": True, "false": False}.get(text, text)
            units += [float(value == category and text != "") for category in column["categories"]]
        else:
            offset, scale, mean = next(scales)
            value = mean if text == "" else float(text) if column["moments"] is None else seconds(text)
            units.append((value - offset) / scale)
            for period in column["periods"]:
                angle = 2 * math.pi * phase(period, value)
                units += [0.0, 0.0] if text == "" else [float(np.sin(angle)), float(np.cos(angle))]
        if column["has_gaps"]:
            units.append(float(text == ""))
    for constant in inputs["constant_units"]:
        units[constant["unit"]] = 0.0
    return units


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("extra", [[], ["site"]])
def test_an_independent_program_codes_the_rows_to_the_same_bits(service: Service, extra: list[str]) -> None:
    rows = table()
    used = [row for row in rows if row["price"] != ""]
    named = {"inputs": ["age", "when", "clock", "colour", "member", *extra]} if extra else {}
    body: dict[str, Any] = {
        "dataset_id": service.upload_csv(as_csv(rows))["id"],
        "targets": ["price"],
        **named,
        "network": {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "linear"}]},
        "holdout": 0.2,
        "training": {"preset": "tutorial", "iterations": 15, "learning_rate": 0.05, "init": "uniform", "seed": 5},
    }
    start = service.train({**body, "training": {"preset": "tutorial", **body["training"], "iterations": 0}})
    job = service.train(body)
    assert job["status"] == "succeeded", job["error"]
    if not extra:
        assert [each["column"] for each in job["left_out"]] == ["column_1", "name", "site"]
    held = np.random.default_rng(5).permutation(len(used))[: round(0.2 * len(used))]
    assert job["rows"] == {
        "dataset": ROWS,
        "target_missing": ROWS - len(used),
        "input_missing": 0,
        "training": len(used) - len(held),
        "held_out": len(held),
        "held_out_dataset": None,
        "class_weight": None,
    }
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    inputs, targets = model["preprocessing"]["inputs"], model["preprocessing"]["targets"]
    periods = {each["name"]: each["periods"] for each in inputs["features"] if each["moments"]}
    assert periods == {"when": ["year", "week", "day"], "clock": ["day"]}
    kept = [row for index, row in enumerate(used) if index not in set(held.tolist())]
    ages = np.array([float(row["age"]) for row in kept if row["age"]])
    np.testing.assert_allclose(inputs["means"][0], ages.mean(), rtol=1e-12)
    np.testing.assert_allclose(inputs["scaler"]["scale"][0], ages.std(), rtol=1e-12)

    X = np.array([coded(row, inputs) for row in kept])
    assert X.shape[1] == job["sizes"][0]
    prices = np.array([[float(row["price"])] for row in kept])
    Y = (prices - targets["scaler"]["offset"]) / targets["scaler"]["scale"]
    data_costs, _, weights = oracle.train(
        service.weights(start["model_id"]),
        ["tanh", "linear"],
        X,
        Y,
        learning_rate=0.05,
        weight_decay=0.0,
        iterations=15,
    )
    np.testing.assert_allclose([row["data_cost"] for row in service.costs(job["id"])], data_costs, rtol=1e-9)
    for name, value in service.weights(job["model_id"]).items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-8, atol=1e-12)

    # Rows that have never been seen, as cells of the file and as plain JSON.
    new = [
        {**used[0], "age": "", "colour": ""},
        {**used[1], "when": "2031-07-04T05:06:07", "clock": ""},
        {**used[2], "member": "", "site": "elsewhere"},
    ]
    plain = [
        {
            "age": float(row["age"]) if row["age"] else None,
            "when": row["when"] or None,
            "clock": row["clock"] or None,
            "colour": row["colour"] or None,
            "member": row["member"] == "true" if row["member"] else None,
            "site": row["site"] if row["site"] == "north" else None,
        }
        for row in new
    ]
    cells = [{name: value for name, value in row.items() if name} for row in new]
    model_weights = service.weights(job["model_id"])
    a = np.tanh(np.array([coded(row, inputs) for row in new]) @ model_weights["W1"].T + model_weights["b1"])
    h = a @ model_weights["W2"].T + model_weights["b2"]
    expected = h[:, 0] * targets["scaler"]["scale"][0] + targets["scaler"]["offset"][0]
    for sent in (plain, cells):
        predicted = service.api.post(
            f"/v1/models/{job['model_id']}/predict", json={"rows": sent, "unknown_categories": "as_missing"}
        ).json()["predictions"]
        np.testing.assert_allclose(predicted, expected, rtol=1e-12)


CONSTANTS = [
    ("k,z,y\n" + "".join(f"100,{z},{2 * z + 1}\n" for z in range(20)), [{"k": k} for k in (100, 101, 250)]),
    (
        "c,z,y\n" + "".join(f"{('0.3', '0.30000000000000004')[z % 2]},{z},{2 * z + 1}\n" for z in range(20)),
        [{"c": c} for c in (0.3, 0.3001, 1e6)],
    ),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("text", "others"), CONSTANTS)
@pytest.mark.parametrize("named", [False, True])
def test_what_did_not_vary_has_no_say(service: Service, text: str, others: list[dict[str, float]], named: bool) -> None:
    constant = next(iter(others[0]))
    job = service.train(
        {
            "dataset_id": service.upload_csv(text)["id"],
            "targets": ["y"],
            "task": "regression",
            **({"inputs": [constant, "z"]} if named else {}),
            "network": {"layers": [{"units": 8, "activation": "tanh"}, {"activation": "linear"}]},
            "training": {"preset": "tutorial", "optimizer": "lbfgs", "iterations": 300, "init": "uniform"},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    assert [each["column"] for each in job["left_out"]] == ([] if named else [constant])
    predicted = service.predict(job["model_id"], [{**other, "z": 5} for other in others])
    assert len(set(predicted)) == 1
    assert predicted[0] == pytest.approx(11, abs=0.1)


def trained_on(service: Service, text: str, **job: Any) -> dict[str, Any]:  # noqa: ANN401
    """A job on a file, with a network that learns fast."""
    output = "linear" if job.get("task") == "regression" else "softmax"
    trained = service.train(
        {
            "dataset_id": service.upload_csv(text)["id"],
            "network": {"layers": [{"units": 8, "activation": "tanh"}, {"activation": output}]},
            "training": {
                "preset": "tutorial",
                "optimizer": "lbfgs",
                "iterations": 200,
                "init": "uniform",
                "weight_decay": 1e-6,
            },
            **job,
        }
    )
    assert trained["status"] == "succeeded", trained["error"]
    return trained


def metrics_of(service: Service, job: dict[str, Any]) -> dict[str, Any]:
    metrics: dict[str, Any] = service.api.get(f"/v1/models/{job['model_id']}").json()["metrics"]
    return metrics


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestFilesThatWentWrong:
    def test_decimal_commas(self, service: Service) -> None:
        text = "m2;preis\n" + "".join(f"{50 + 3 * i},5;{100 + 6 * i},25\n" for i in range(20))
        job = trained_on(service, text, targets=["preis"], task="regression")
        assert metrics_of(service, job)["training"]["r2"]["preis"] > 0.999
        (answer,) = service.predict(job["model_id"], [{"m2": "80,5"}])
        assert answer == pytest.approx(160.25, rel=0.01)

    def test_numbers_for_names(self, service: Service) -> None:
        rng = np.random.default_rng(0)
        points = rng.normal(size=(40, 2))
        text = "0,1,label\n" + "".join(f"{a:.3f},{b:.3f},{int(a > b)}\n" for a, b in points)
        job = trained_on(service, text, targets=["label"], task="classification")
        assert [column["name"] for column in job["inputs"]] == ["0", "1"]
        assert job["targets"][0]["classes"] == [0, 1]

    @pytest.mark.parametrize(("no", "yes", "classes"), [("-1", "+1", [-1, 1]), ("0.0", "1.0", [0, 1])])
    def test_labels_that_are_written_as_numbers(self, service: Service, no: str, yes: str, classes: list[int]) -> None:
        text = "x,y\n" + "".join(f"{x / 10},{yes if x > 20 else no}\n" for x in range(40))
        dataset = service.upload_csv(text)
        body = {"dataset_id": dataset["id"], "targets": ["y"], "network": {"layers": [{"activation": "softmax"}]}}
        refused = service.api.post("/v1/jobs", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "task_required")
        job = service.train({**body, "task": "classification"})
        assert job["targets"][0]["classes"] == classes

    def test_an_index_that_pandas_wrote_teaches_nothing(self, service: Service) -> None:
        rng = np.random.default_rng(1)
        noise = rng.normal(size=(120, 2))
        text = ",a,b,kind\n" + "".join(f"{i},{a},{b},{'pqr'[i // 40]}\n" for i, (a, b) in enumerate(noise))
        job = trained_on(service, text, targets=["kind"], holdout=0.5)
        assert [each["column"] for each in job["left_out"]] == ["column_1"]
        assert metrics_of(service, job)["held_out"]["accuracy"] < 0.5
        named = trained_on(service, text, targets=["kind"], holdout=0.5, inputs=["column_1", "a", "b"])
        assert metrics_of(service, named)["held_out"]["accuracy"] > 0.9

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_cost_is_never_negative(self, service: Service, dtype: str) -> None:
        xs = (-267.8, -66.1, 52.5, 62.9, 180.8, 320.2, 473.5)
        text = "x,y\n" + "".join(f"{x},{int(x > 0)}\n" for x in xs)
        job = trained_on(
            service,
            text,
            targets=["y"],
            task="classification",
            scaling="none",
            holdout=0.3,
            network={"layers": [{"activation": "sigmoid"}]},
            training={"preset": "tutorial", "cost": "cross_entropy", "iterations": 300, "dtype": dtype},
        )
        rows = service.costs(job["id"])
        assert len(rows) == 301
        assert min(min(row["cost"], row["data_cost"], row["held_out_cost"]) for row in rows) >= 0
