"""Rows to predict as files: CSV, Parquet and Arrow in, and out."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pyarrow import csv, ipc, parquet

from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.service import Service, csv_text

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"

Rows = list[dict[str, Any]]


def as_csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    return sink.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def as_arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    return sink.getvalue()


WRITERS: dict[str, Callable[[pa.Table], bytes]] = {CSV: as_csv, PARQUET: as_parquet, ARROW: as_arrow}
READERS: dict[str, Callable[[bytes], pa.Table]] = {
    CSV: lambda content: csv.read_csv(io.BytesIO(content)),
    PARQUET: lambda content: parquet.read_table(io.BytesIO(content)),
    ARROW: lambda content: ipc.open_stream(content).read_all(),
}

PEOPLE = csv_text(
    ("id", "age", "born", "colour", "member", "at", "kind"),
    [
        (
            f"n{index}",
            "" if index % 9 == 4 else 20 + index % 13 + 0.5,
            f"19{50 + index % 40}-0{1 + index % 9}-11",
            ("" if index % 7 == 3 else ("07", "7a", "red")[index % 3]),
            ("true", "false")[index % 2],
            f"{index % 24:02}:30",
            kind,
        )
        for index, kind in enumerate("xyz" * 20)
    ],
)
ROWS: Rows = [
    {"age": 31.25, "born": "1960-05-02", "colour": "red", "member": True, "at": "12:30"},
    {"age": None, "born": "1999-12-31", "colour": None, "member": False, "at": "00:00"},
    {"age": 20.0, "born": None, "colour": "07", "member": None, "at": None},
]
NETWORK = {"layers": [{"units": 5, "activation": "tanh"}, {"activation": "softmax"}]}


def as_table(rows: Rows) -> pa.Table:
    """The rows as somebody would have them in Arrow."""
    typed: dict[str, Callable[[str], Any]] = {"born": date.fromisoformat, "at": time.fromisoformat}

    def value(name: str, said: Any) -> Any:  # noqa: ANN401
        return said if said is None or name not in typed else typed[name](said)

    return pa.table({name: pa.array([value(name, row[name]) for row in rows]) for name in rows[0]})


@pytest.fixture
def people(service: Service) -> str:
    """A model of a table of all types."""
    job = service.train(
        {
            "dataset_id": service.upload_csv(PEOPLE)["id"],
            "targets": ["kind"],
            "network": NETWORK,
            "training": {"iterations": 30, "learning_rate": 0.3},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    assert [column["name"] for column in job["inputs"]] == ["age", "born", "colour", "member", "at"]
    model_id: str = job["model_id"]
    return model_id


def post(
    service: Service, model_id: str, content: bytes | str, media_type: str, accept: str | None = None, **query: str
) -> Response:
    headers = {"content-type": media_type} | ({} if accept is None else {"accept": accept})
    return service.api.post(f"/v1/models/{model_id}/predict", content=content, headers=headers, params=query)


def table_of(response: Response, media_type: str) -> pa.Table:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].partition(";")[0] == media_type
    return READERS[media_type](response.content)


@pytest.mark.parametrize("accept", [CSV, PARQUET, ARROW, JSON])
@pytest.mark.parametrize("media_type", [CSV, PARQUET, ARROW])
def test_a_file_is_answered_as_the_same_rows_in_json(
    service: Service, people: str, media_type: str, accept: str
) -> None:
    answer = service.answer(people, ROWS)
    response = post(service, people, WRITERS[media_type](as_table(ROWS)), media_type, accept)
    if accept == JSON:
        assert response.json() == answer
        return
    table = table_of(response, accept)
    assert table.column_names == ["prediction", "score_x", "score_y", "score_z"]
    assert table["prediction"].to_pylist() == answer["predictions"]
    for place, label in enumerate(answer["classes"]):
        assert table[f"score_{label}"].to_pylist() == [scores[place] for scores in answer["scores"]]
    assert response.headers["unknown-categories"] == "0"
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", [CSV, PARQUET, ARROW])
def test_rows_in_json_are_answered_as_a_file(service: Service, people: str, accept: str) -> None:
    answer = service.api.post(f"/v1/models/{people}/predict", json={"rows": ROWS}, headers={"accept": accept})
    table = table_of(answer, accept)
    assert table["prediction"].to_pylist() == service.predict(people, ROWS)


def test_cells_are_read_as_those_of_the_training_file_were(service: Service) -> None:
    text = "a;zip;y\n" + "".join(f"{index},5;0{index % 3};{index * 2},25\n" for index in range(40))
    job = service.train(
        {
            "dataset_id": service.upload_csv(text)["id"],
            "targets": ["y"],
            "network": {"layers": [{"activation": "linear"}]},
            "training": {"iterations": 3, "learning_rate": 0.1},
        }
    )
    assert job["status"] == "succeeded", job["error"]
    rows = "a;zip\n3,5;01\n1.234,5;02\n?;00\n"
    table = table_of(post(service, job["model_id"], rows, CSV), CSV)
    told = service.predict(job["model_id"], [["3,5", "01"], [1234.5, "02"], [None, "00"]])
    assert table.column_names == ["y"]
    assert table["y"].to_pylist() == told


def test_a_file_without_a_header_has_the_inputs_or_all_columns_in_order(service: Service, people: str) -> None:
    of_inputs = "31.25,1960-05-02,red,true,12:30\n,1999-12-31,,false,00:00\n"
    of_all = "n1,31.25,1960-05-02,red,true,12:30\nn2,,1999-12-31,,false,00:00\n"
    expected = service.predict(people, ROWS[:2])
    for text in (of_inputs, of_all):
        response = post(service, people, text, f"{CSV}; header=absent")
        assert table_of(response, CSV)["prediction"].to_pylist() == expected
    response = post(service, people, "1,2\n", f"{CSV}; header=absent")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_rows")
    assert "without a header" in response.json()["detail"]


def test_a_charset_is_believed(service: Service) -> None:
    job = service.train(
        {
            "dataset_id": service.upload_csv(csv_text(("größe", "y"), [(index, index) for index in range(20)]))["id"],
            "inputs": ["größe"],
            "targets": ["y"],
            "task": "regression",
            "network": {"layers": [{"activation": "linear"}]},
            "training": {"iterations": 1, "learning_rate": 0.1},
        }
    )
    answer = post(service, job["model_id"], "größe\n3\n".encode("cp850"), f"{CSV}; charset=cp850")
    assert table_of(answer, CSV).num_rows == 1
    refused = post(service, job["model_id"], "größe\n3\n", f"{CSV}; charset=nonsense")
    assert (refused.status_code, refused.json()["code"]) == (415, "media_type_not_taken")


HEADER = "age,born,colour,member,at\n"
GOOD = "31,1960-05-02,red,true,12:30\n"


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        ("age,born,colour,member\n31,1960-05-02,red,true\n", "invalid_rows", "no column 'at'"),
        (HEADER.strip() + ",ages\n31,1960-05-02,red,true,12:30,3\n", "invalid_rows", "'ages'"),
        (HEADER + GOOD + "31,1960-05-02,mauve,true,12:30\n", "invalid_rows", "Row 2, column 'colour': 'mauve'"),
        (HEADER + GOOD * 3 + "old,1960-05-02,red,true,12:30\n", "invalid_rows", "Row 4, column 'age': 'old'"),
        (HEADER + GOOD + "31,May 1960,red,true,12:30\n", "invalid_rows", "Row 2, column 'born': 'May 1960'"),
        (HEADER + GOOD + "31,12:30,red,true,12:30\n", "invalid_rows", "Row 2, column 'born': '12:30'"),
        (HEADER + "31,1960-05-02,red,true,2020-01-01\n", "invalid_rows", "Row 1, column 'at': '2020-01-01'"),
        (HEADER + GOOD + "31,1960-05-02,red,yes,12:30\n", "invalid_rows", "Row 2, column 'member': 'yes'"),
        (HEADER + GOOD + "31,1960-05-02,red\n", "ragged_row", "Row 2 has 3 cells"),
        (HEADER + "1e400,1960-05-02,red,true,12:30\n", "infinite_number", "Row 1, column 'age'"),
        (HEADER, "no_rows", "no rows"),
        ("", "empty_file", "empty"),
    ],
)
def test_what_cannot_be_predicted_is_named(service: Service, people: str, content: str, code: str, told: str) -> None:
    response = post(service, people, content, CSV)
    assert (response.status_code, response.json()["code"]) == (422, code), response.text
    assert told in response.json()["detail"]
    assert all(error["path"] == "/file" for error in response.json()["errors"])


def test_other_columns_of_the_dataset_are_not_looked_at(service: Service, people: str) -> None:
    content = "kind,at,member,colour,born,age,id\nunheard of,12:30,true,red,1960-05-02,31.25,n1\n"
    answer = table_of(post(service, people, content, CSV), CSV)
    assert answer["prediction"].to_pylist() == service.predict(people, ROWS[:1])


def test_unknown_categories_count_as_missing_where_asked(service: Service, people: str) -> None:
    content = HEADER + "31,1960-05-02,mauve,true,12:30\n" + GOOD + "31,1960-05-02,pink,true,12:30\n"
    answer = post(service, people, content, CSV, unknown_categories="as_missing")
    assert answer.headers["unknown-categories"] == "2"
    assert table_of(answer, CSV).num_rows == 3
    told = post(service, people, content, CSV, JSON, unknown_categories="as_missing").json()
    assert told["unknown"] == [{"row": 0, "column": "colour"}, {"row": 2, "column": "colour"}]
    in_json = service.api.post(
        f"/v1/models/{people}/predict", json={"rows": ROWS}, params={"unknown_categories": "as_missing"}
    )
    assert (in_json.status_code, in_json.json()["code"]) == (422, "invalid_request")


def test_damaged_files_are_refused(service: Service, people: str) -> None:
    for media_type, code in ((PARQUET, "invalid_parquet"), (ARROW, "invalid_arrow")):
        whole = WRITERS[media_type](as_table(ROWS))
        for content in (whole[: len(whole) // 2], b"nonsense", whole[:8]):
            response = post(service, people, content, media_type)
            assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize("media_type", ["application/xml", "text/plain", "application/octet-stream", ""])
def test_other_bodies_are_refused_with_those_that_are_taken(service: Service, people: str, media_type: str) -> None:
    response = post(service, people, "a,b\n1,2\n", media_type)
    assert (response.status_code, response.json()["code"]) == (415, "media_type_not_taken")
    for taken in (JSON, CSV, PARQUET, ARROW):
        assert taken in response.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", CSV),
        ("text/*", CSV),
        ("application/json, text/csv;q=0.5", JSON),
        ("application/json;q=0.1, */*;q=0.5", CSV),
        (f"application/xml, {PARQUET};q=0.2", PARQUET),
        ("text/csv;q=0, application/*", JSON),
    ],
)
def test_accept_chooses(service: Service, people: str, accept: str, answered: str) -> None:
    response = post(service, people, HEADER + GOOD, CSV, accept)
    assert response.headers["content-type"].partition(";")[0] == answered


@pytest.mark.parametrize("accept", ["application/xml", "text/csv;q=0", "image/*", "text/csv;q=no"])
def test_what_nobody_can_answer_in_is_told(service: Service, people: str, accept: str) -> None:
    for response in (
        post(service, people, HEADER + GOOD, CSV, accept),
        service.api.post(f"/v1/models/{people}/predict", json={"rows": ROWS}, headers={"accept": accept}),
    ):
        assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_limits_name_the_way_for_more(settings: Settings, service: Service, people: str) -> None:
    small = settings.model_copy(update={"max_prediction_rows": 2})
    with TestClient(open_app(small)) as api:
        headers = {"content-type": CSV}
        address = f"/v1/models/{people}/predict"
        assert api.post(address, content=HEADER + GOOD * 2, headers=headers).status_code == 200
        response = api.post(address, content=HEADER + GOOD * 3, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "too_many_rows")
    assert "POST /v1/predictions" in response.json()["detail"]


def test_brackets_in_a_file_are_no_objects(service: Service, people: str) -> None:
    """The limit of objects and arrays is one of JSON."""
    content = "id," + HEADER + "".join(f"{'[' * 200},{GOOD}" for _ in range(1_000))
    assert post(service, people, content, CSV).status_code == 200


def test_nothing_is_left_of_a_file(service: Service, people: str) -> None:
    post(service, people, HEADER + GOOD, CSV)
    post(service, people, "nonsense", PARQUET)
    assert list((service.settings.data_dir / "uploads").iterdir()) == []


def test_regressions_and_reconstructions_have_a_column_each(service: Service) -> None:
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(30, 3)), y=rng.normal(size=(30, 2)))
    common: dict[str, Any] = {
        "dataset_id": dataset["id"],
        "network": {"layers": [{"activation": "linear"}]},
        "training": {"iterations": 3, "learning_rate": 0.05},
    }
    jobs: list[tuple[dict[str, Any], list[str]]] = [
        ({"targets": ["y_1", "y_2"]}, ["y_1", "y_2"]),
        ({"task": "reconstruction", "inputs": ["x_1", "x_2", "x_3"]}, ["x_1", "x_2", "x_3"]),
    ]
    for body, names in jobs:
        job = service.train(common | body)
        assert job["status"] == "succeeded", job["error"]
        rows = [[0.5, -1.0, 2.0], [1.0, 2.0, 3.0]]
        content = csv_text(("x_1", "x_2", "x_3"), rows)
        table = table_of(post(service, job["model_id"], content, CSV, PARQUET), PARQUET)
        assert table.to_pylist() == service.predict(job["model_id"], rows)
        assert table.column_names == names
