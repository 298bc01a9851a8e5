"""What a model needs and how it answers, column by column, over REST."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from domain.models import dependence, sample
from infra.tables import Model
from tests.support.service import Service, csv_text

ROWS = 60


def columns() -> dict[str, list[Any]]:
    rng = np.random.default_rng(4)
    size = rng.normal(size=ROWS)
    count = rng.integers(0, 4, ROWS)
    days = [f"2026-01-{1 + number % 28:02}" for number in range(ROWS)]
    colour = rng.choice(["blue", "green", "red"], ROWS).tolist()
    weight = rng.integers(0, 3, ROWS)
    price = 2 * size + count
    return {
        "size": [repr(float(each)) if number % 7 else "" for number, each in enumerate(size)],
        "count": count.tolist(),
        "day": days,
        "colour": colour,
        "weight": weight.tolist(),
        "price": [repr(float(each)) for each in price],
        "dear": ["yes" if each > 1 else "no" for each in price],
    }


@pytest.fixture
def dataset(service: Service) -> dict[str, Any]:
    table = columns()
    return service.upload_csv(csv_text(list(table), list(zip(*table.values(), strict=True))))


def trained(service: Service, dataset: dict[str, Any], **job: object) -> str:
    body = {
        "dataset_id": dataset["id"],
        "inputs": ["size", "count", "day", "colour"],
        "network": {"layers": [{"units": 4}, {}]},
        "training": {"iterations": 30, "seed": 9},
        **job,
    }
    ended = service.train(body)
    assert ended["status"] == "succeeded", ended["error"]
    model_id: str = ended["model_id"]
    return model_id


def importance(service: Service, model_id: str) -> dict[str, Any]:
    answer = service.api.get(f"/v1/models/{model_id}/importance")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def dependent(service: Service, model_id: str, column: str, **query: int) -> dict[str, Any]:
    answer = service.api.get(f"/v1/models/{model_id}/dependence", params={"column": column, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows_of_table() -> list[dict[str, Any]]:
    """The input columns, as a prediction takes them."""
    table = columns()
    names = ("size", "count", "day", "colour")
    return [dict(zip(names, row, strict=True)) for row in zip(*(table[name] for name in names), strict=True)]


def test_importance_on_training_rows_is_what_predictions_for_permuted_rows_show(
    service: Service, dataset: dict[str, Any]
) -> None:
    model_id = trained(service, dataset, targets=["dear"], weights="weight", holdout=0)
    rows, table = rows_of_table(), columns()
    weights = np.array(table["weight"])

    def accuracy(some: list[dict[str, Any]]) -> float:
        right = service.predict(model_id, some) == np.array(table["dear"])
        return float(np.average(right, weights=weights))

    found = importance(service, model_id)
    assert {name: found[name] for name in ("on", "rows", "repeats", "seed")} == {
        "on": "training",
        "rows": ROWS,
        "repeats": 5,
        "seed": 9,
    }
    expected = {}
    for number, name in enumerate(("size", "count", "day", "colour")):
        decreases = []
        for repeat in range(5):
            order = np.random.default_rng([9, number, repeat]).permutation(ROWS)
            permuted = [row | {name: rows[other][name]} for row, other in zip(rows, order.tolist(), strict=True)]
            decreases.append(accuracy(rows) - accuracy(permuted))
        expected[name] = {"mean": pytest.approx(np.mean(decreases)), "deviation": pytest.approx(np.std(decreases))}
    assert {each["column"]: each["score_decrease"] for each in found["columns"]} == expected
    means = [each["score_decrease"]["mean"] for each in found["columns"]]
    assert means == sorted(means, reverse=True)
    assert found["columns"][0]["column"] == "size"


def test_importance_is_that_on_held_out_rows_if_there_are_some(service: Service, dataset: dict[str, Any]) -> None:
    found = importance(service, trained(service, dataset, targets=["price"], holdout=0.25))
    assert (found["on"], found["rows"]) == ("held_out", 15)
    assert all(each["cost_increase"] and each["score_decrease"] for each in found["columns"])


def test_a_resumed_job_s_model_has_an_importance_of_its_own(service: Service, dataset: dict[str, Any]) -> None:
    training = {"preset": "tutorial", "iterations": 3}
    first = trained(service, dataset, targets=["dear"], training=training)
    job = service.api.get(f"/v1/models/{first}").json()["job_id"]
    assert service.api.post(f"/v1/jobs/{job}/resume", json={"iterations": 40}).status_code == 202
    second = service.attempt(job)["model_id"]
    assert importance(service, second) != importance(service, first)


def test_a_model_from_before_has_no_importance(service: Service, dataset: dict[str, Any]) -> None:
    model_id = trained(service, dataset, targets=["dear"])
    with service.database.writing() as session:
        session.execute(update(Model).where(Model.id == model_id).values(importance=None))
    answer = service.api.get(f"/v1/models/{model_id}/importance")
    assert (answer.status_code, answer.json()["code"]) == (409, "importance_not_measured")


@pytest.mark.parametrize("column", ["size", "count", "day", "colour"])
@pytest.mark.parametrize("target", ["dear", "price"])
def test_a_dependence_is_the_mean_of_predictions_with_the_value_set(
    service: Service, dataset: dict[str, Any], column: str, target: str
) -> None:
    model_id = trained(service, dataset, targets=[target])
    found = dependent(service, model_id, column, points=5)
    assert (found["column"], found["rows"]) == (column, ROWS)
    assert len(found["data"]) == {"size": 6, "count": 4, "day": 5, "colour": 3}[column]
    for point in found["data"]:
        answer = service.answer(model_id, [row | {column: point["value"]} for row in rows_of_table()])
        if target == "price":
            mean = np.mean(answer["predictions"])
            assert point["prediction"] == {"price": pytest.approx(mean)}
            assert point["scores"] is None
        else:
            means = np.mean(answer["scores"], axis=0)
            assert [each["class"] for each in point["scores"]] == answer["classes"] == ["no", "yes"]
            assert [each["score"] for each in point["scores"]] == pytest.approx(means)
            assert point["prediction"] is None


def test_values_are_written_as_in_the_dataset(service: Service, dataset: dict[str, Any]) -> None:
    model_id = trained(service, dataset, targets=["dear"])
    values = {
        name: [each["value"] for each in dependent(service, model_id, name)["data"]] for name in rows_of_table()[0]
    }
    assert values["colour"] == ["blue", "green", "red"]
    assert values["count"] == [0, 1, 2, 3]
    assert [type(each) for each in values["count"]] == [int] * 4
    assert (values["day"][0], values["day"][-1]) == ("2026-01-01", "2026-01-28")
    assert values["size"][-1] is None
    assert values["size"][:-1] == sorted(values["size"][:-1])
    assert set(values["size"][:-1]) <= {float(each) for each in columns()["size"] if each}


def test_a_large_dataset_is_sampled(service: Service, dataset: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model_id = trained(service, dataset, targets=["price"], missing="drop_rows", training={"iterations": 3, "seed": 9})
    monkeypatch.setattr(dependence, "MOST_ROWS", 10)
    monkeypatch.setattr(sample, "MOST_READ", 4 * 40)
    complete = [row for row in rows_of_table() if row["size"]]
    chosen = np.sort(np.random.default_rng([9]).choice(40, 10, replace=False, shuffle=False))
    found = dependent(service, model_id, "count")
    assert found["rows"] == 10
    for point in found["data"]:
        rows = [complete[row] | {"count": point["value"]} for row in chosen.tolist()]
        mean = np.mean(service.predict(model_id, rows))
        assert point["prediction"] == {"price": pytest.approx(mean)}


def test_what_cannot_be_answered_is_refused(service: Service, dataset: dict[str, Any]) -> None:
    model_id = trained(service, dataset, targets=["dear"])
    address = f"/v1/models/{model_id}/dependence"
    refusals: list[tuple[dict[str, str | int], str]] = [
        ({"column": "weight"}, "not_an_input"),
        ({"column": "dear"}, "not_an_input"),
        ({}, "invalid_request"),
        ({"column": "size", "points": 1}, "invalid_request"),
        ({"column": "size", "points": 51}, "invalid_request"),
    ]
    for query, code in refusals:
        answer = service.api.get(address, params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert service.api.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    answer = service.api.get(address, params={"column": "size"})
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_deleted")


def test_a_reconstruction_has_importance_by_cost_and_no_dependence(service: Service, dataset: dict[str, Any]) -> None:
    training = {"preset": "tutorial", "iterations": 3}
    job = {"inputs": ["count", "colour"], "task": "reconstruction", "training": training}
    model_id = trained(service, dataset, **job)
    found = importance(service, model_id)
    assert [each["score_decrease"] for each in found["columns"]] == [None, None]
    answer = service.api.get(f"/v1/models/{model_id}/dependence", params={"column": "count"})
    assert (answer.status_code, answer.json()["code"]) == (422, "dependence_of_reconstruction")
