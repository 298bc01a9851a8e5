"""Predictions for whole datasets: asked for, made, fetched, cancelled, deleted."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pyarrow import csv, ipc, parquet

from domain.predictions import parts, table
from tests.support.apps import open_app
from tests.support.service import Service, csv_text

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
ROWS = 95


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of some ten rows, and pieces of some rows."""
    monkeypatch.setattr(parts, "PREDICTED_BYTES", 8 * 3 * 10)
    monkeypatch.setattr(table, "PIECE_BYTES", 8 * 30)


@pytest.fixture
def numbers(service: Service) -> tuple[str, str]:
    """A model of numbers and its dataset."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 3))
    dataset = service.upload_arrays(x=x, y=x.sum(axis=1))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 4, "activation": "tanh"}, {"activation": "linear"}]},
            "training": {"iterations": 10, "learning_rate": 0.01},
        }
    )
    return job["model_id"], dataset["id"]


def rows_of(service: Service, prediction: dict[str, Any], accept: str = PARQUET, **query: object) -> Response:
    return service.api.get(
        f"/v1/predictions/{prediction['id']}/rows",
        headers={"accept": accept},
        params={**query},  # type: ignore[dict-item]
    )


def table_of(response: Response) -> pa.Table:
    assert response.status_code == 200, response.text
    kind = response.headers["content-type"].partition(";")[0]
    if kind == CSV:
        return csv.read_csv(io.BytesIO(response.content))
    if kind == ARROW:
        return ipc.open_stream(response.content).read_all()
    return parquet.read_table(io.BytesIO(response.content))


def refused(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("accept", [CSV, PARQUET, ARROW])
def test_the_rows_are_those_of_the_predict_route(service: Service, numbers: tuple[str, str], accept: str) -> None:
    """To the last bit, although the worker's parts have other rows together than the request."""
    model_id, dataset_id = numbers
    prediction = service.predict_dataset(model_id, dataset_id)
    assert (prediction["status"], prediction["rows"], prediction["rows_done"]) == ("succeeded", ROWS, ROWS)
    assert prediction["error"] is None
    assert prediction["unknown"] == {}
    fetched = table_of(rows_of(service, prediction, accept, with_inputs=True))
    assert fetched.column_names == ["x_1", "x_2", "x_3", "y", "predicted_y"]
    inputs = [list(row.values())[:3] for row in fetched.to_pylist()]
    assert fetched["predicted_y"].to_pylist() == service.predict(model_id, inputs)
    assert fetched["predicted_y"].to_pylist()[7:8] == service.predict(model_id, inputs[7:8])
    alone = table_of(rows_of(service, prediction, accept))
    assert alone.column_names == ["y"]
    assert alone["y"].to_pylist() == fetched["predicted_y"].to_pylist()


def test_csv_is_the_usual_answer_and_json_is_none(service: Service, numbers: tuple[str, str]) -> None:
    prediction = service.predict_dataset(*numbers)
    answer = rows_of(service, prediction, "*/*")
    assert answer.headers["content-type"].partition(";")[0] == CSV
    assert answer.headers["content-disposition"] == f'attachment; filename="{prediction["id"]}.csv"'
    assert refused(rows_of(service, prediction, "application/json")) == (406, "not_acceptable")


PEOPLE = csv_text(
    ("age", "born", "at", "seen", "member", "prediction", "kind"),
    [
        (
            "" if index % 9 == 4 else 20 + index % 13,
            f"19{50 + index % 40}-0{1 + index % 9}-11",
            f"{index % 24:02}:30",
            f"2020-01-{1 + index % 28:02}T12:30:00Z" if index % 5 else "",
            ("true", "false")[index % 2],
            "rgb"[index % 3],
            kind,
        )
        for index, kind in enumerate("xyz" * 20)
    ],
)


@pytest.fixture
def people(service: Service) -> tuple[str, str]:
    dataset_id = service.upload_csv(PEOPLE)["id"]
    job = service.train(
        {
            "dataset_id": dataset_id,
            "targets": ["kind"],
            "network": {"layers": [{"units": 3, "activation": "tanh"}, {"activation": "softmax"}]},
            "training": {"iterations": 20, "learning_rate": 0.3},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    return job["model_id"], dataset_id


def test_a_table_of_all_types_comes_back_beside_its_predictions(service: Service, people: tuple[str, str]) -> None:
    prediction = service.predict_dataset(*people)
    fetched = table_of(rows_of(service, prediction, PARQUET, with_inputs=True))
    assert fetched.column_names == [
        *("age", "born", "at", "seen", "member", "prediction", "kind"),
        *("predicted_prediction", "score_x", "score_y", "score_z"),
    ]
    first = fetched.slice(0, 1).to_pylist()[0]
    assert (first["age"], first["born"], first["at"], first["seen"]) == (20, date(1950, 1, 11), time(0, 30), None)
    assert fetched["seen"].to_pylist()[1] == datetime(2020, 1, 2, 12, 30, tzinfo=UTC)
    shown = rows_of(service, prediction, CSV, with_inputs=True).text.splitlines()
    assert shown[2].startswith('21,"1951-02-11","01:30:00","2020-01-02T12:30:00Z",false,"g","y",')
    rows = [
        dict(zip(PEOPLE.splitlines()[0].split(","), line.split(","), strict=True)) for line in PEOPLE.splitlines()[1:]
    ]
    answer = service.answer(people[0], rows)
    assert fetched["predicted_prediction"].to_pylist() == answer["predictions"]
    assert np.column_stack([fetched[f"score_{label}"] for label in answer["classes"]]).tolist() == answer["scores"]


def test_what_does_not_fit_is_told_before_anything_is_queued(service: Service, people: tuple[str, str]) -> None:
    model_id, _ = people
    tables = {
        "age,born\n1,2020-01-01\n2,2020-01-01\n": "no column 'at'",
        PEOPLE.replace(",r,", ",mauve,"): "'mauve' is not one of the values seen in training",
        PEOPLE.replace(",true,", ",1,").replace(",false,", ",0,"): "Column 'member'",
        PEOPLE.replace("at,seen", "seen,at"): "Column 'at' is of type datetime, and the model was trained on times of",
        PEOPLE.replace(
            "age,born", "born,age"
        ): "Column 'age' is of type datetime, and the model was trained on numbers",
    }
    for text, told in tables.items():
        dataset = service.upload_csv(text)
        response = service.api.post("/v1/predictions", json={"model_id": model_id, "dataset_id": dataset["id"]})
        assert refused(response) == (422, "dataset_does_not_fit")
        assert any(told in error["message"] for error in response.json()["errors"]), response.text
    assert service.api.get("/v1/predictions").json()["data"] == []


def test_unknown_categories_are_counted_where_they_count_as_missing(service: Service, people: tuple[str, str]) -> None:
    dataset = service.upload_csv(PEOPLE.replace(",r,", ",mauve,"))
    prediction = service.predict_dataset(people[0], dataset["id"], unknown_categories="as_missing")
    assert (prediction["status"], prediction["unknown"]) == ("succeeded", {"prediction": 20})


def test_a_row_that_cannot_be_predicted_fails_it_and_is_named(service: Service) -> None:
    rows = [(f"n{index % 600}", index % 7) for index in range(2_000)]
    dataset = service.upload_csv(csv_text(("name", "y"), rows))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "inputs": ["name"],
            "targets": ["y"],
            "task": "regression",
            "network": {"layers": [{"activation": "linear"}]},
            "training": {"iterations": 1, "learning_rate": 0.1},
        }
    )
    many = service.upload_csv(csv_text(("name",), [(f"n{index}",) for index in range(2_000)]))  # so many make a text
    prediction = service.predict_dataset(job["model_id"], many["id"])
    assert (prediction["status"], prediction["error"]["code"]) == ("failed", "invalid_rows")
    assert prediction["error"]["message"].startswith("Row 601, column 'name': 'n600' is not one of the values")
    assert refused(rows_of(service, prediction)) == (409, "prediction_not_ready")
    assert refused(service.api.post(f"/v1/predictions/{prediction['id']}/cancel")) == (409, "prediction_already_ended")


def test_they_are_listed_newest_first_in_pages(service: Service, numbers: tuple[str, str]) -> None:
    queued = [service.queue_prediction(*numbers) for _ in range(3)]
    first = service.api.get("/v1/predictions", params={"limit": 2}).json()
    assert (first["data"], first["has_more"]) == ([queued[2], queued[1]], True)
    second = service.api.get("/v1/predictions", params={"limit": 2, "after": queued[1]["id"]}).json()
    assert (second["data"], second["has_more"]) == ([queued[0]], False)


def test_a_request_that_is_repeated_under_its_key_queues_once(service: Service, numbers: tuple[str, str]) -> None:
    body = {"model_id": numbers[0], "dataset_id": numbers[1]}
    answers = [service.api.post("/v1/predictions", json=body, headers={"idempotency-key": "a"}) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["location"] == f"/v1/predictions/{answers[0].json()['id']}"
    assert len(service.api.get("/v1/predictions").json()["data"]) == 1


def test_what_is_not_there_is_told(service: Service, numbers: tuple[str, str]) -> None:
    model_id, dataset_id = numbers
    for body, code in (
        ({"model_id": "mdl_1", "dataset_id": dataset_id}, "model_not_found"),
        ({"model_id": model_id, "dataset_id": "ds_1"}, "dataset_not_found"),
    ):
        assert refused(service.api.post("/v1/predictions", json=body)) == (404, code)
    for method, path in (("GET", ""), ("GET", "/rows"), ("POST", "/cancel"), ("DELETE", "")):
        assert refused(service.api.request(method, f"/v1/predictions/prd_1{path}")) == (404, "prediction_not_found")


def test_a_queued_one_is_cancelled_at_once_and_needs_its_dataset_until_then(
    service: Service, numbers: tuple[str, str]
) -> None:
    prediction = service.queue_prediction(*numbers)
    address = f"/v1/predictions/{prediction['id']}"
    assert refused(service.api.delete(f"/v1/datasets/{numbers[1]}")) == (409, "dataset_in_use")
    assert refused(service.api.delete(address)) == (409, "prediction_not_ended")
    assert refused(rows_of(service, prediction)) == (409, "prediction_not_ready")
    assert service.api.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert service.api.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert service.attempt_prediction(prediction["id"])["status"] == "cancelled"
    assert service.api.delete(f"/v1/datasets/{numbers[1]}").status_code == 204


def test_answers_outlive_the_dataset_and_end_with_the_prediction(service: Service, numbers: tuple[str, str]) -> None:
    prediction = service.predict_dataset(*numbers)
    folder = service.settings.data_dir / "artifacts" / "predictions" / prediction["id"]
    assert len(list(folder.iterdir())) == -(-ROWS // 10)
    assert service.api.delete(f"/v1/datasets/{numbers[1]}").status_code == 204
    assert table_of(rows_of(service, prediction)).num_rows == ROWS
    assert refused(rows_of(service, prediction, with_inputs=True)) == (409, "dataset_deleted")
    assert service.api.delete(f"/v1/predictions/{prediction['id']}").status_code == 204
    assert refused(rows_of(service, prediction)) == (404, "prediction_not_found")
    assert list(folder.iterdir()) == []


def test_jobs_and_predictions_that_wait_are_limited_together(service: Service, numbers: tuple[str, str]) -> None:
    service.queue_prediction(*numbers)
    with TestClient(open_app(service.settings.model_copy(update={"max_queued_jobs": 1}))) as api:
        body = {"model_id": numbers[0], "dataset_id": numbers[1]}
        assert refused(api.post("/v1/predictions", json=body)) == (429, "too_many_queued_jobs")
        job = {"dataset_id": numbers[1], "targets": ["y"], "network": {"layers": [{"activation": "linear"}]}}
        assert refused(api.post("/v1/jobs", json=job)) == (429, "too_many_queued_jobs")
