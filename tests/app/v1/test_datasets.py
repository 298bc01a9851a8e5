from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect, Request

from backprop_client.wire.datasets import UploadFields
from infra.settings import Settings
from tests.support.apps import open_app
from tests.support.service import Service

CSV = b"size,kind,old\n1.5,red,true\n2,blue,\n3,red,false\n"


def _upload(
    api: TestClient, content: bytes = CSV, filename: str = "things.csv", fields: Mapping[str, str] | None = None
) -> Any:  # noqa: ANN401
    return api.post("/v1/datasets", files={"file": (filename, content)}, data=fields)


def _files_of(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.data_dir.rglob("*") if path.is_file())


def test_an_uploaded_table_is_described(api: TestClient) -> None:
    response = _upload(api, fields={"name": "My things"})
    assert response.status_code == 201
    dataset = response.json()
    assert response.headers["location"] == f"/v1/datasets/{dataset['id']}"
    assert {key: dataset[key] for key in ("name", "format", "filename", "bytes", "sha256", "rows")} == {
        "name": "My things",
        "format": "csv",
        "filename": "things.csv",
        "bytes": len(CSV),
        "sha256": hashlib.sha256(CSV).hexdigest(),
        "rows": 3,
    }
    assert [(column["name"], column["type"], column["missing"]) for column in dataset["columns"]] == [
        ("size", "number", 0),
        ("kind", "category", 0),
        ("old", "boolean", 1),
    ]
    assert dataset["columns"][0]["maximum"] == 3.0
    assert dataset["columns"][1]["categories"] == ["blue", "red"]
    assert dataset["columns"][2]["categories"] == [False, True]
    assert api.get(response.headers["location"]).json() == dataset


def test_the_preview_shows_the_first_rows(api: TestClient) -> None:
    address = _upload(api).headers["location"] + "/preview"
    assert api.get(address, params={"rows": 2}).json() == {
        "columns": ["size", "kind", "old"],
        "rows": [[1.5, "red", True], [2.0, "blue", None]],
    }
    assert len(api.get(address).json()["rows"]) == 3
    assert api.get(address, params={"rows": 101}).status_code == 422


def test_the_name_is_the_file_s_unless_given(api: TestClient) -> None:
    assert _upload(api).json()["name"] == "things.csv"
    assert _upload(api, fields={"name": ""}).json()["name"] == "things.csv"


def test_how_the_file_is_read_may_be_said(api: TestClient) -> None:
    dataset = _upload(api, b"1;2\n3;4\n", "data.bin", {"format": "csv", "header": "true", "delimiter": ";"}).json()
    assert [column["name"] for column in dataset["columns"]] == ["1", "2"]


def test_how_the_file_was_read_is_told_and_what_a_person_should_look_at(api: TestClient) -> None:
    content = "größe;zip;when\n1,5;01234;2020-01-31 12:30\n-9;98765;?\n".encode("cp1252")
    fields = {"missing_values": '["unknown", -9]', "types": '{"zip": "category"}'}
    dataset = _upload(api, content, "data.csv", fields).json()
    assert dataset["read_as"] == {
        "format": "csv",
        "encoding": "windows-1252",
        "delimiter": ";",
        "decimal": ",",
        "header": True,
        "missing_values": ["unknown", "-9"],
    }
    assert [remark["column"] for remark in dataset["remarks"]] == [None, "when"]
    assert [column["type"] for column in dataset["columns"]] == ["number", "category", "datetime"]
    assert dataset["columns"][2]["earliest"] == "2020-01-31T12:30:00Z"
    assert api.get(f"/v1/datasets/{dataset['id']}").json() == dataset
    preview = api.get(f"/v1/datasets/{dataset['id']}/preview").json()
    assert preview["rows"] == [[1.5, "01234", "2020-01-31T12:30:00Z"], [None, "98765", None]]


def test_a_packed_file_is_read_by_the_name_inside(api: TestClient) -> None:
    dataset = _upload(api, gzip.compress(b"a\tb\n1\t2\n"), "data.tsv.gz").json()
    assert (dataset["format"], dataset["read_as"]["delimiter"]) == ("csv", "\t")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"format": "xlsx"}, "/format"),
        ({"header": "perhaps"}, "/header"),
        ({"delimiter": "x"}, "/delimiter"),
        ({"name": "a\0b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"nmae": "x"}, "/nmae"),
        ({"decimal": ";"}, "/decimal"),
        ({"encoding": "klingon"}, "/encoding"),
        ({"types": "no JSON"}, "/types"),
        ({"types": '{"a": "colour"}'}, "/types/a"),
    ],
)
def test_a_bad_field_is_named(api: TestClient, settings: Settings, fields: dict[str, str], path: str) -> None:
    response = _upload(api, fields=fields)
    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [path]
    assert _files_of(settings) == []


@pytest.mark.parametrize(
    ("filename", "content", "code"),
    [
        ("t.csv", b"", "empty_file"),
        ("t.csv", b"a,b\n1\n", "ragged_row"),
        ("t.csv", b"a,b\n1,2\n3,inf\n", "infinite_number"),
        ("t.csv", bytes(range(256)), "not_text"),
        ("t.parquet", b"PAR1 and no more", "invalid_parquet"),
        ("t.npz", b"PK\x03\x04", "invalid_npz"),
        ("t.json", b'[{"a": 1}, {"a": {}}]', "nested_value"),
        ("t.json", b'[{"a": 1, "a": 2}]', "duplicate_key"),
        ("t.csv.gz", b"\x1f\x8b\x08 and no more", "invalid_gzip"),
        ("t.html", b"<html><table>", "unsupported_format"),
        ("t.csv", "ä\n".encode() + b"\xff\n", "not_utf8"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(
    api: TestClient, settings: Settings, filename: str, content: bytes, code: str
) -> None:
    response = _upload(api, content, filename)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert _files_of(settings) == []
    assert api.get("/v1/datasets").json() == {"data": [], "has_more": False}


def test_a_taken_file_leaves_its_canonical_form_only(api: TestClient, settings: Settings) -> None:
    dataset = _upload(api).json()
    assert _files_of(settings) == [f"{dataset['id']}.parquet"]


@pytest.fixture
def strict_api(settings: Settings) -> Iterator[TestClient]:
    """An API that takes at most 1,000 bytes, 2 columns and 5 rows."""
    strict = settings.model_copy(update={"max_upload_bytes": 1000, "max_columns": 2, "max_rows": 5})
    with TestClient(open_app(strict), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a\n" + b"1\n" * 500, "upload_too_large"),
        (b"a,b,c\n1,2,3\n", "too_many_columns"),
        (b"a\n" + b"1\n" * 6, "too_many_rows"),
    ],
)
def test_limits_are_the_settings(strict_api: TestClient, settings: Settings, content: bytes, code: str) -> None:
    response = _upload(strict_api, content)
    assert (response.status_code, response.json()["code"]) == (413, code)
    assert _files_of(settings) == []


def test_a_body_beyond_the_limit_is_refused_before_it_has_all_come(strict_api: TestClient, settings: Settings) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n'
        while sent < 50 * 2**20:
            sent += 2**20
            yield bytes(2**20)

    response = strict_api.post(
        "/v1/datasets", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")
    assert _files_of(settings) == []


def test_an_upload_may_go_to_the_address_with_a_slash(service: Service) -> None:
    table = b"a,b\n" + b"1,2\n" * 5_000_000  # longer than other bodies may be
    response = service.api.post("/v1/datasets/", files={"file": ("t.csv", table)}, follow_redirects=False)
    assert (response.status_code, response.headers["location"][:13]) == (201, "/v1/datasets/")
    assert response.json()["rows"] == 5_000_000


def test_a_client_that_goes_away_leaves_nothing_behind(
    api: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_stream(_request: Request) -> Any:  # noqa: ANN401
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="t"\r\n\r\n' + bytes(2**21)
        raise ClientDisconnect

    monkeypatch.setattr(Request, "stream", broken_stream)
    response = api.post("/v1/datasets", content=b"", headers={"content-type": "multipart/form-data; boundary=b"})
    assert response.json()["code"] == "upload_interrupted"
    assert _files_of(settings) == []


def test_a_body_that_is_no_form_is_refused(api: TestClient) -> None:
    assert api.post("/v1/datasets", json={"file": "x"}).json()["code"] == "multipart_required"
    assert api.post("/v1/datasets").json()["code"] == "multipart_required"
    assert api.post("/v1/datasets", files={"data": ("t.csv", CSV)}).json()["code"] == "file_required"


def test_datasets_are_listed_newest_first_in_pages(api: TestClient) -> None:
    ids = [_upload(api, fields={"name": f"n{number}"}).json()["id"] for number in range(3)]
    first = api.get("/v1/datasets", params={"limit": 2}).json()
    assert [each["id"] for each in first["data"]] == [ids[2], ids[1]]
    assert first["has_more"]
    second = api.get("/v1/datasets", params={"limit": 2, "after": ids[1]}).json()
    assert [each["id"] for each in second["data"]] == [ids[0]]
    assert not second["has_more"]


def test_a_deleted_dataset_is_gone_with_its_file(api: TestClient, settings: Settings) -> None:
    address = _upload(api).headers["location"]
    assert api.delete(address).status_code == 204
    assert _files_of(settings) == []
    for response in (api.get(address), api.get(address + "/preview"), api.delete(address)):
        assert (response.status_code, response.json()["code"]) == (404, "dataset_not_found")


def test_a_dataset_that_a_job_needs_is_kept(service: Service, settings: Settings) -> None:
    dataset = service.upload_csv("a,b\n1,yes\n2,no\n3,yes\n4,no\n")
    job = service.submit(
        {
            "dataset_id": dataset["id"],
            "targets": ["b"],
            "network": {"layers": [{"activation": "sigmoid"}]},
            "training": {"preset": "tutorial", "iterations": 1},
        }
    )
    address = f"/v1/datasets/{dataset['id']}"
    refusal = service.api.delete(address)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "dataset_in_use")
    assert _files_of(settings) == [f"{dataset['id']}.parquet"]
    service.api.post(f"/v1/jobs/{job['id']}/cancel")
    assert service.api.delete(address).status_code == 204


def test_text_that_databases_are_wary_of_comes_back(api: TestClient) -> None:
    content = '[{"a\\u0000b": "x\\u0000y", "🜁": "\\ud83d\\ude00"}]'.encode()
    response = _upload(api, content, "t.json")
    assert response.status_code == 201
    dataset = api.get(response.headers["location"]).json()
    assert [column["name"] for column in dataset["columns"]] == ["a\0b", "🜁"]
    assert dataset["columns"][0]["categories"] == ["x\0y"]


def test_the_api_document_describes_the_form(api: TestClient) -> None:
    operation = api.get("/openapi.json").json()["paths"]["/v1/datasets"]["post"]
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(schema["properties"]) == {"file", *UploadFields.model_fields}
    assert schema["required"] == ["file"]


def test_the_upload_folder_needs_not_be_there(api: TestClient, settings: Settings) -> None:
    assert not Path(settings.data_dir / "uploads").exists()
    assert _upload(api).status_code == 201
