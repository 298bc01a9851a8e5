"""A job that starts from a model's weights: they mean what they meant, on other rows too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.service import Service, csv_text

RNG = np.random.default_rng(8)
HEADER = ("age", "colour", "kind")
NETWORK = {"layers": [{"units": 5, "activation": "tanh"}, {"activation": "softmax"}]}


def table(rows: int, colours: str = "rgb", kinds: str = "xyz") -> str:
    return csv_text(
        HEADER,
        [(RNG.normal(40, 9), colours[index % len(colours)], kinds[RNG.integers(len(kinds))]) for index in range(rows)],
    )


def first_job(service: Service, **training: Any) -> dict[str, Any]:  # noqa: ANN401
    job = service.train(
        {
            "dataset_id": service.upload_csv(table(60))["id"],
            "targets": ["kind"],
            "network": NETWORK,
            "training": {"preset": "tutorial", "iterations": 20, "learning_rate": 0.3, "init": "uniform", **training},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    return job


def model_of(service: Service, job: dict[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = service.api.get(f"/v1/models/{job['model_id']}").json()
    return model


def test_gradient_descent_goes_on_from_the_weights_as_if_it_had_not_stopped(service: Service) -> None:
    first = first_job(service)
    training = {"iterations": 30, "learning_rate": 0.3}
    second = service.train(
        {"dataset_id": first["dataset_id"], "from_model_id": first["model_id"], "training": training}
    )
    assert second["status"] == "succeeded", second["error"]
    assert (second["from_model_id"], second["network"], second["task"]) == (
        first["model_id"],
        first["network"],
        "classification",
    )
    at_once = service.train(
        {
            "dataset_id": first["dataset_id"],
            "targets": ["kind"],
            "network": NETWORK,
            "training": {"preset": "tutorial", "iterations": 50, "learning_rate": 0.3, "init": "uniform"},
        }
    )
    assert [row["cost"] for row in service.costs(second["id"])] == [
        row["cost"] for row in service.costs(at_once["id"])[20:]
    ]
    ours, theirs = model_of(service, second), model_of(service, at_once)
    assert (ours["from_model_id"], theirs["from_model_id"]) == (first["model_id"], None)
    assert ours["metrics"] == theirs["metrics"]
    assert service.weight_bits(ours["id"]) == service.weight_bits(theirs["id"])


def test_rows_of_another_dataset_are_coded_as_the_model_s_were(service: Service) -> None:
    first = first_job(service)
    other = service.upload_csv(table(25, colours="gb", kinds="xz"))  # fewer colours and kinds, other ages
    second = service.train(
        {
            "dataset_id": other["id"],
            "from_model_id": first["model_id"],
            "training": {"preset": "tutorial", "iterations": 0},
            "holdout": 0.2,
        }
    )
    assert second["status"] == "succeeded", second["error"]
    before, after = model_of(service, first), model_of(service, second)
    assert after["preprocessing"] == before["preprocessing"]
    assert (after["sizes"], after["dataset_id"]) == (before["sizes"], other["id"])
    rows = [{"age": 33, "colour": "r"}, {"age": 55.5, "colour": "b"}]
    assert service.predict(first["model_id"], rows) == service.predict(second["model_id"], rows)


def test_weights_are_taken_over_in_another_precision(service: Service) -> None:
    first = first_job(service)
    second = service.train(
        {
            "dataset_id": first["dataset_id"],
            "from_model_id": first["model_id"],
            "network": {"layers": [{"units": 5, "activation": "tanh"}, {"activation": "softmax"}]},
            "inputs": ["age", "colour"],
            "training": {"preset": "tutorial", "iterations": 0, "dtype": "float32"},
        }
    )
    before, after = service.weights(first["model_id"]), service.weights(second["model_id"])
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values.astype(np.float32))


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"network": {"layers": [{"units": 6, "activation": "tanh"}, {"activation": "softmax"}]}},
         "differs_from_model", "/network"),
        ({"network": {"layers": [{"activation": "softmax"}]}}, "differs_from_model", "/network"),
        ({"inputs": ["age"]}, "differs_from_model", "/inputs"),
        ({"targets": ["colour"]}, "differs_from_model", "/targets"),
        ({"task": "regression"}, "differs_from_model", "/task"),
        ({"scaling": "none"}, "differs_from_model", "/scaling"),
        ({"training": {"preset": "tutorial", "init": "normal"}}, "differs_from_model", "/training/init"),
        ({"training": {"preset": "tutorial", "epsilon": 0.1}}, "differs_from_model", "/training/epsilon"),
    ],
)  # fmt: skip
def test_what_the_model_decides_cannot_be_something_else(
    service: Service, change: dict[str, Any], code: str, path: str
) -> None:
    first = first_job(service)
    answer = service.api.post(
        "/v1/jobs", json={"dataset_id": first["dataset_id"], "from_model_id": first["model_id"], **change}
    )
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["errors"][0]["path"]) == (code, path)


@pytest.mark.parametrize(
    ("csv", "code", "path"),
    [
        (table(20, colours="rgk"), "unknown_category", "/inputs"),
        (table(20, kinds="xyw"), "unknown_category", "/targets"),
        (table(20).replace("colour", "color"), "unknown_column", "/inputs/1"),
        (csv_text(HEADER, [("old", "r", "x"), ("new", "g", "y")]), "column_type_differs", "/inputs"),
        (csv_text(HEADER, [(1.5, 3, "x"), (2, 4, "y")]), "column_type_differs", "/inputs"),
    ],
    ids=["colour", "kind", "column", "number", "category"],
)
def test_a_dataset_that_the_model_cannot_read_is_refused(service: Service, csv: str, code: str, path: str) -> None:
    first = first_job(service)
    answer = service.api.post(
        "/v1/jobs", json={"dataset_id": service.upload_csv(csv)["id"], "from_model_id": first["model_id"]}
    )
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["errors"][0]["path"]) == (code, path)


def test_there_must_be_such_a_model_or_a_network(service: Service) -> None:
    dataset = service.upload_csv(table(20))["id"]
    answer = service.api.post("/v1/jobs", json={"dataset_id": dataset, "from_model_id": "mdl_unknown"})
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")
    assert service.api.post("/v1/jobs", json={"dataset_id": dataset}).status_code == 422


def test_a_batch_of_codes_that_are_all_digits_is_read_as_the_model_s_categories(service: Service) -> None:
    codes = ["11", "10", "1A", "010"]
    rows = [(index / 10, codes[index % 4], index % 2) for index in range(40)]
    first = service.train(
        {
            "dataset_id": service.upload_csv(csv_text(("size", "code", "y"), rows))["id"],
            "targets": ["y"],
            "task": "classification",
            "network": NETWORK,
            "training": {"preset": "tutorial", "iterations": 20},
        }
    )
    assert [column["type"] for column in first["inputs"]] == ["number", "category"]
    digits = [(index / 10, (11, 10)[index % 2], index % 2) for index in range(20)]
    second_set = service.upload_csv(csv_text(("size", "code", "y"), digits))
    assert [column["type"] for column in second_set["columns"]] == ["number", "integer", "integer"]
    second = service.train(
        {
            "dataset_id": second_set["id"],
            "from_model_id": first["model_id"],
            "training": {"preset": "tutorial", "iterations": 0},
        }
    )
    assert second["status"] == "succeeded", second["error"]
    assert second["inputs"] == first["inputs"]
    rows_of_second = [{"size": size, "code": str(code)} for size, code, _ in digits]
    answers = service.predict(first["model_id"], rows_of_second)
    right = sum(answer == label for answer, (_, _, label) in zip(answers, digits, strict=True))
    assert model_of(service, second)["metrics"]["training"]["accuracy"] == right / 20


def test_a_batch_without_any_value_in_a_column_counts_as_gaps(service: Service) -> None:
    first = first_job(service)
    empty = csv_text(HEADER, [("", "", kind) for kind in "xyzxyz"])
    second = service.train(
        {
            "dataset_id": service.upload_csv(empty)["id"],
            "from_model_id": first["model_id"],
            "training": {"preset": "tutorial", "iterations": 3},
        }
    )
    assert second["status"] == "succeeded", second["error"]
    assert second["inputs"] == first["inputs"]
    assert second["sizes"] == first["sizes"]


def test_what_is_done_about_gaps_is_the_model_s(service: Service) -> None:
    first = first_job(service)
    refused = service.api.post(
        "/v1/jobs",
        json={"dataset_id": first["dataset_id"], "from_model_id": first["model_id"], "missing": "drop_rows"},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "differs_from_model")
