"""Every way to hold rows out, over REST: which rows they are, and what they are good for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.service import Service, csv_text

HEADER = ("size", "colour", "fold", "kind")
NETWORK = {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "softmax"}]}


def rows(count: int, seed: int = 0, kinds: str = "xxxxxy") -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(), "rgb"[rng.integers(3)], int(rng.integers(1, 6)), kinds[rng.integers(len(kinds))])
        for _ in range(count)
    ]


def job(dataset: dict[str, Any], **more: object) -> dict[str, Any]:
    training = {"iterations": 30, "learning_rate": 0.3, "init": "uniform", "patience": 25}
    return {"dataset_id": dataset["id"], "targets": ["kind"], "network": NETWORK, "training": training, **more}


def metrics(service: Service, trained: dict[str, Any]) -> dict[str, Any]:
    assert trained["status"] == "succeeded", trained["error"]
    found: dict[str, Any] = service.api.get(f"/v1/models/{trained['model_id']}").json()["metrics"]
    return found


def test_by_class(service: Service) -> None:
    table = rows(50)
    dataset = service.upload_csv(csv_text(HEADER, table))
    trained = service.train(job(dataset, holdout=0.2))
    assert trained["holdout_by"] == "stratified"
    confusion = np.array(metrics(service, trained)["held_out"]["confusion_matrix"]["counts"])
    rare = sum(row[-1] == "y" for row in table)
    assert abs(confusion.sum(axis=1)[1] - 0.2 * rare) < 1
    assert confusion.sum() == trained["rows"]["held_out"] == 10


def test_by_the_value_of_a_column(service: Service) -> None:
    table = rows(60)
    dataset = service.upload_csv(csv_text(HEADER, table))
    trained = service.train(job(dataset, holdout_by={"column": "fold", "value": 3}))
    held = [row for row in table if row[2] == 3]
    found = metrics(service, trained)
    assert (found["held_out"]["rows"], found["training"]["rows"]) == (len(held), 60 - len(held))
    assert [column["name"] for column in trained["inputs"]] == ["size", "colour"]
    assert trained["left_out"] == [{"column": "fold", "reason": "It says which rows are held out."}]
    answers = service.predict(trained["model_id"], [{"size": row[0], "colour": row[1]} for row in held])
    right = sum(answer == row[-1] for answer, row in zip(answers, held, strict=True))
    assert found["held_out"]["accuracy"] == pytest.approx(right / len(held))


def test_by_another_dataset(service: Service) -> None:
    own, other = rows(40, seed=1), [row[::-1] for row in rows(25, seed=2)]
    dataset = service.upload_csv(csv_text(HEADER, own))
    held_out = service.upload_csv(csv_text(HEADER[::-1], other))
    body = job(dataset, holdout_by={"dataset_id": held_out["id"]})
    plan = service.api.post("/v1/jobs", params={"dry_run": True}, json=body).json()
    assert plan["holdout_by"] == {"dataset_id": held_out["id"]}
    trained = service.train(body)
    found = metrics(service, trained)
    assert (found["training"]["rows"], found["held_out"]["rows"]) == (40, 25)
    assert trained["rows"]["held_out_dataset"] == {"dataset": 25, "target_missing": 0, "input_missing": 0}
    answers = service.predict(trained["model_id"], [dict(zip(HEADER[::-1], row, strict=True)) for row in other])
    right = sum(answer == row[0] for answer, row in zip(answers, other, strict=True))
    assert found["held_out"]["accuracy"] == pytest.approx(right / 25)
    assert all(row["held_out_cost"] is not None for row in service.costs(trained["id"]))
    # the same training without it: held-out rows teach nothing
    alone = service.train({**job(dataset), "training": {**body["training"], "patience": None}})
    costs = [[row["cost"] for row in service.costs(each["id"])] for each in (trained, alone)]
    assert costs[0] == costs[1][: len(costs[0])]


def test_a_training_that_starts_from_a_model_may_hold_out_in_any_way(service: Service) -> None:
    dataset = service.upload_csv(csv_text(HEADER, rows(40, seed=1)))
    other = service.upload_csv(csv_text(HEADER, rows(20, seed=2)))
    first = service.train({**job(dataset), "training": {"iterations": 5}})
    assert [column["name"] for column in first["inputs"]] == ["size", "colour", "fold"]
    for holdout in (
        {"holdout": 0.3},
        {"holdout_by": {"column": "fold", "value": 2}},
        {"holdout_by": {"dataset_id": other["id"]}},
    ):
        body = {"dataset_id": dataset["id"], "from_model_id": first["model_id"], "training": {"iterations": 3}}
        second = service.train({**body, **holdout})
        assert metrics(service, second)["held_out"]["rows"] == second["rows"]["held_out"] > 0
        assert second["inputs"] == first["inputs"]


def test_a_dataset_whose_rows_are_held_out_stays_while_a_job_needs_it(service: Service) -> None:
    dataset = service.upload_csv(csv_text(HEADER, rows(40, seed=1)))
    other = service.upload_csv(csv_text(HEADER, rows(20, seed=2)))
    address = f"/v1/datasets/{other['id']}"
    queued = service.submit(job(dataset, holdout=0.2))
    waiting = service.submit(job(dataset, holdout_by={"dataset_id": other["id"]}))
    refused = service.api.delete(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset_in_use")
    assert waiting["id"] in refused.json()["detail"]
    assert service.attempt(waiting["id"])["status"] == "succeeded"
    assert service.attempt(queued["id"])["status"] == "succeeded"
    assert service.api.delete(address).status_code == 204
    resumed = service.api.post(f"/v1/jobs/{waiting['id']}/resume", json={"iterations": 60})
    assert (resumed.status_code, resumed.json()["code"]) == (409, "dataset_deleted")
    again = service.api.post("/v1/jobs", json=job(dataset, holdout_by={"dataset_id": other["id"]}))
    assert (again.status_code, again.json()["code"]) == (404, "dataset_not_found")


def test_a_refusal_names_the_place(service: Service) -> None:
    dataset = service.upload_csv(csv_text(HEADER, rows(40)))
    by = {"column": "colour", "value": "violet"}
    refused = service.api.post("/v1/jobs", json=job(dataset, holdout_by=by)).json()
    assert (refused["code"], refused["errors"][0]["path"]) == ("value_not_in_column", "/holdout_by/value")
    refused = service.api.post("/v1/jobs", json=job(dataset, holdout=0.2, holdout_by=by)).json()
    assert (refused["code"], refused["errors"][0]["path"]) == ("invalid_request", "/holdout_by")
    assert "no holdout with it" in refused["detail"]
