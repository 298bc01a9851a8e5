from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load
from sqlalchemy import event, update
from starlette.concurrency import run_in_threadpool

from app.v1 import predicting
from domain.models import cache
from infra.database import Database
from infra.settings import Settings
from infra.tables import Model
from tests.support.apps import open_app
from tests.support.service import Service, csv_text

JSON = {"content-type": "application/json"}


@pytest.fixture
def body(service: Service) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3))
    dataset = service.upload_arrays(x=x, y=x.sum(axis=1))
    return {
        "dataset_id": dataset["id"],
        "targets": ["y"],
        "network": {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "linear"}]},
        "training": {"preset": "tutorial", "iterations": 10, "learning_rate": 0.01},
    }


def trained(service: Service, body: dict[str, Any], **training: object) -> str:
    """A model's id."""
    job = service.train(body | {"training": body["training"] | training})
    assert job["status"] == "succeeded", job["error"]
    model_id: str = job["model_id"]
    return model_id


class Reads:
    """How often weights have been read from the database."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine, "before_cursor_execute", self._seen)

    def _seen(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.count += "models.weights" in statement


@pytest.fixture
def reads(api: TestClient) -> Reads:
    return Reads(api.app.state.services.database)  # type: ignore[attr-defined]  # the app is a FastAPI


def test_a_model_says_what_it_is(service: Service, body: dict[str, Any]) -> None:
    job = service.train(body)
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    assert (model["job_id"], model["dataset_id"], model["task"]) == (job["id"], body["dataset_id"], "regression")
    assert (model["sizes"], model["iteration"], model["cost"]) == ([3, 4, 1], 10, job["cost"])
    assert [layer["activation"] for layer in model["layers"]] == ["tanh", "linear"]
    del model["preprocessing"]
    assert service.api.get("/v1/models").json() == {"data": [model], "has_more": False}


def test_models_are_listed_newest_first_in_pages(service: Service, body: dict[str, Any]) -> None:
    ids = [trained(service, body, seed=seed) for seed in range(3)]
    first = service.api.get("/v1/models", params={"limit": 2}).json()
    assert ([model["id"] for model in first["data"]], first["has_more"]) == ([ids[2], ids[1]], True)
    second = service.api.get("/v1/models", params={"limit": 2, "after": ids[1]}).json()
    assert ([model["id"] for model in second["data"]], second["has_more"]) == ([ids[0]], False)


def test_a_list_has_the_metrics_without_matrices_and_curves(service: Service) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    dataset = service.upload_arrays(x=x, y=(x.sum(axis=1) > 0).astype(int))
    job = service.train(
        {"dataset_id": dataset["id"], "targets": ["y"], "task": "classification", "holdout": 0.25}
        | {"network": {"layers": [{"activation": "softmax"}]}, "training": {"preset": "tutorial", "iterations": 2}}
    )
    model = service.api.get(f"/v1/models/{job['model_id']}").json()
    (listed,) = service.api.get("/v1/models").json()["data"]
    of_trivial = model["metrics"]["trivial"]
    parts = {"training": model["metrics"]["training"], "held_out": model["metrics"]["held_out"]}
    large = {"confusion_matrix", "roc_curve", "reliability_curve"}
    assert all(set(part) >= large for part in (*parts.values(), of_trivial["training"], of_trivial["held_out"]))

    def small(part: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in part.items() if name not in large}

    del model["preprocessing"]
    assert listed == model | {
        "metrics": {
            **{name: small(part) for name, part in parts.items()},
            "trivial": {
                "prediction": of_trivial["prediction"],
                "training": small(of_trivial["training"]),
                "held_out": small(of_trivial["held_out"]),
            },
        }
    }


def test_a_model_from_before_there_were_so_many_metrics_is_listed_and_served(
    service: Service, body: dict[str, Any], api: TestClient
) -> None:
    model_id = trained(service, body)
    old = {"training": {"rows": 20, "rmse": {"roc_curve": 1.0}, "r2": {"roc_curve": 0.5}}, "held_out": None}
    with api.app.state.services.database.writing() as session:  # type: ignore[attr-defined]  # the app is a FastAPI
        session.execute(update(Model).where(Model.id == model_id).values(metrics=old, listed_metrics=old))
    (listed,) = service.api.get("/v1/models").json()["data"]
    assert listed["metrics"] == service.api.get(f"/v1/models/{model_id}").json()["metrics"] == old
    assert service.predict(model_id, [[1, 2, 3]])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_are_downloaded_as_safetensors(service: Service, body: dict[str, Any], dtype: str) -> None:
    model_id = trained(service, body, dtype=dtype)
    response = service.api.get(f"/v1/models/{model_id}/weights")
    assert response.headers["content-type"] == "application/vnd.safetensors"
    assert response.headers["content-disposition"] == f'attachment; filename="{model_id}.safetensors"'
    weights = load(response.content)
    assert {name: (array.shape, str(array.dtype)) for name, array in weights.items()} == {
        "W1": ((4, 3), dtype),
        "b1": ((4,), dtype),
        "W2": ((1, 4), dtype),
        "b2": ((1,), dtype),
    }


def test_lists_and_metadata_read_no_weights(service: Service, body: dict[str, Any], reads: Reads) -> None:
    model_id = trained(service, body)
    service.api.get("/v1/models")
    service.api.get(f"/v1/models/{model_id}")
    assert reads.count == 0


def test_a_second_prediction_reads_no_weights(service: Service, body: dict[str, Any], reads: Reads) -> None:
    one, other = trained(service, body), trained(service, body, seed=1)
    first = service.predict(one, [[1, 2, 3]])
    assert reads.count == 1
    assert service.predict(one, [[1, 2, 3]]) == first
    assert reads.count == 1
    assert service.predict(other, [[1, 2, 3]]) != first
    assert reads.count == 2


def test_cached_models_make_room_for_each_other(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, service: Service, body: dict[str, Any]
) -> None:
    ids = [trained(service, body, seed=seed) for seed in range(3)]
    one_model = sum(array.nbytes for array in service.weights(ids[0]).values())
    monkeypatch.setattr(cache, "MODEL_BYTES", 0)
    monkeypatch.setattr(cache, "NAME_BYTES", 0)
    monkeypatch.setattr(cache, "MOST_BYTES", 5 * one_model)  # two, each with a copy that predictions take
    with TestClient(open_app(settings)) as small:
        reads = Reads(small.app.state.services.database)  # type: ignore[attr-defined]

        def predict(model_id: str) -> int:
            assert small.post(f"/v1/models/{model_id}/predict", json={"rows": [[0, 0, 0]]}).status_code == 200
            return reads.count

        assert [predict(model_id) for model_id in (ids[0], ids[1], ids[0], ids[2], ids[0], ids[1])] == [
            1,
            2,
            2,
            3,
            3,
            4,
        ]


def test_a_model_larger_than_the_cache_answers_all_the_same(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, service: Service, body: dict[str, Any]
) -> None:
    model_id = trained(service, body)
    monkeypatch.setattr(cache, "MOST_BYTES", 8)
    with TestClient(open_app(settings)) as small:
        reads = Reads(small.app.state.services.database)  # type: ignore[attr-defined]
        for _ in range(2):
            response = small.post(f"/v1/models/{model_id}/predict", json={"rows": [[1, 2, 3]]})
            assert response.json()["predictions"] == service.predict(model_id, [[1, 2, 3]])
        assert reads.count == 2


@pytest.fixture
def strict_api(settings: Settings) -> Iterator[TestClient]:
    """An API that predicts for at most three rows at once."""
    with TestClient(open_app(settings.model_copy(update={"max_prediction_rows": 3}))) as client:
        yield client


def test_more_rows_than_the_limit_are_refused(strict_api: TestClient, service: Service, body: dict[str, Any]) -> None:
    address = f"/v1/models/{trained(service, body)}/predict"
    assert len(strict_api.post(address, json={"rows": [[1, 2, 3]] * 3}).json()["predictions"]) == 3
    response = strict_api.post(address, json={"rows": [[1, 2, 3]] * 4})
    assert (response.status_code, response.json()["code"]) == (413, "too_many_rows")


@pytest.mark.parametrize(
    ("rows", "code", "path"),
    [
        ("[]", "invalid_request", "/rows"),
        ("[[1, 2, 3], 5]", "invalid_request", "/rows/1"),
        ('["abc"]', "invalid_request", "/rows/0"),
        ("[[1, 2]]", "invalid_rows", "/rows/0"),
        ("[[1, 2, 1e999]]", "invalid_rows", "/rows/0/2"),
        (f"[[1, 2, {'9' * 400}]]", "invalid_rows", "/rows/0/2"),
        ("[[1, 2, true]]", "invalid_rows", "/rows/0/2"),
        ('[[1, 2, "3"]]', "invalid_rows", "/rows/0/2"),
        ("[[1, 2, [3]]]", "invalid_rows", "/rows/0/2"),
        ('[{"x_1": 1, "x_2": 2}]', "invalid_rows", "/rows/0/x_3"),
        ('[{"x_1": 1, "x_2": 2, "x_3": 3, "x_4": 4}]', "invalid_rows", "/rows/0/x_4"),
        ('[{"x_1": 1, "x_2": 2, "x_3": 3, "\\ud800": 4}]', "invalid_rows", "/rows/0/\\ud800"),
    ],
)
def test_rows_that_cannot_be_read_are_named(
    service: Service, body: dict[str, Any], rows: str, code: str, path: str
) -> None:
    address = f"/v1/models/{trained(service, body)}/predict"
    response = service.api.post(address, content=f'{{"rows": {rows}}}', headers=JSON)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["path"] for error in response.json()["errors"]] == [path]


PEOPLE = csv_text(
    ("name", "age", "colour", "kind", "same"),
    [
        (f"n{index}", "" if index % 9 == 4 else 20 + index % 13, "rgb"[index % 3] if index % 7 else "", kind, 5)
        for index, kind in enumerate("xyz" * 20)
    ],
)


def counts(job: dict[str, Any]) -> dict[str, int]:
    """What became of the job's rows, without what only other jobs have."""
    return {name: count for name, count in job["rows"].items() if count is not None}


@pytest.mark.parametrize("limit", ["QUICK_JSON", "QUICK_MULTIPLICATIONS", "QUICK_VALUES"])
def test_a_thread_gives_the_answer_that_the_event_loop_gives(
    service: Service, body: dict[str, Any], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/v1/models/{trained(service, body)}/predict"
    threads: list[object] = []

    async def counted(work: Callable[..., object], *arguments: object) -> object:
        threads.append(work)
        return await run_in_threadpool(work, *arguments)

    monkeypatch.setattr(predicting, "run_in_threadpool", counted)
    bodies: list[object] = [{"rows": [[1, 2, 3]] * 3}, {"rows": [[1, 2, None]]}, {"rows": [[1, 2]]}, {"rows": 5}]
    service.api.post(address, json=bodies[0])
    assert len(threads) == 1  # the model was not in memory
    at_once = [service.api.post(address, json=body) for body in bodies]
    assert [response.status_code for response in at_once] == [200, 200, 422, 422]
    assert len(threads) == 1
    monkeypatch.setattr(predicting, limit, 0)
    in_threads = [service.api.post(address, json=body) for body in bodies]
    assert [response.content for response in in_threads] == [response.content for response in at_once]
    assert len(threads) > 1


def test_rows_of_a_table_with_gaps_names_and_an_index(service: Service) -> None:
    dataset = service.upload_csv(PEOPLE)
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["kind"],
            "network": {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "softmax"}]},
            "training": {"preset": "tutorial", "iterations": 50},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    assert [each["column"] for each in job["left_out"]] == ["name", "same"]
    assert all(each["reason"] for each in job["left_out"])
    assert [column["name"] for column in job["inputs"]] == ["age", "colour"]
    assert job["missing"] == "impute"
    assert counts(job) == {"dataset": 60, "target_missing": 0, "input_missing": 0, "training": 60, "held_out": 0}
    rows = [
        {"age": 30, "colour": "r"},
        {"age": None, "colour": None},
        {"name": "somebody", "same": None, "age": "NA", "colour": ""},
        {"age": 30, "colour": "mauve"},
    ]
    address = f"/v1/models/{job['model_id']}/predict"
    refused = service.api.post(address, json={"rows": rows})
    assert [error["path"] for error in refused.json()["errors"]] == ["/rows/3/colour"]
    answer = service.api.post(address, json={"rows": rows, "unknown_categories": "as_missing"}).json()
    assert answer["unknown"] == [{"row": 3, "column": "colour"}]
    assert answer["predictions"][1] == answer["predictions"][2]
    assert service.api.post(address, json={"rows": rows[:1]}).json()["unknown"] == []


def test_rows_without_a_target_are_left_out_and_counted(service: Service) -> None:
    rows = [(index % 5, "" if index % 4 == 0 else index % 5 * 2.5) for index in range(40)]
    job = service.train(
        {
            "dataset_id": service.upload_csv(csv_text(("x", "y"), rows))["id"],
            "targets": ["y"],
            "network": {"layers": [{"activation": "linear"}]},
            "training": {"preset": "tutorial", "iterations": 1, "learning_rate": 0.1},
            "holdout": 0.2,
        }
    )
    assert job["status"] == "succeeded", job["error"]
    assert counts(job) == {"dataset": 40, "target_missing": 10, "input_missing": 0, "training": 24, "held_out": 6}
    checked = service.api.post(f"/v1/models/{job['model_id']}/gradient-check").json()
    assert checked["relative_difference"] < 1e-6


def test_a_model_outlives_its_dataset(service: Service, body: dict[str, Any]) -> None:
    model_id = trained(service, body)
    before = service.predict(model_id, [{"x_1": 1, "x_2": 2, "x_3": 3, "y": "ignored"}])
    assert service.api.delete(f"/v1/datasets/{body['dataset_id']}").status_code == 204
    assert service.predict(model_id, [[1, 2, 3]]) == before
