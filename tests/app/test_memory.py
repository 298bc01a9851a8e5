"""Files and bodies that unpack to far more than they weigh are refused or read in pieces: memory stays flat."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from httpx2 import Response
from pyarrow import parquet

from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api

ROOM = 400 * 2**20
"""What answering any one request may take on top."""

READING = 2**29
"""What reading any one file may take: the modules, and batches of some tens of megabytes, several of them alive."""

TAKING_IN = 64 * 2**20
"""What an upload may take on top in the API itself, which reads none."""


@pytest.fixture(scope="module")
def api_process(
    migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("memory")
    shutil.copy(migrated_sqlite, folder / "test.db")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'test.db'}",
        redis_url=redis_url,
        slow_body_seconds=60,
        max_reading_bytes=READING,  # a file that needs more is refused for that, and the kernel sees to it
    )
    with running_api(settings) as api:
        upload(api, "t.csv", b"a,b\n1,2\n3,4\n")  # whatever is loaded once is loaded now
        yield api


def upload(api: ApiProcess, filename: str, content: bytes) -> Response:
    return api.client.post("/v1/datasets", files={"file": (filename, content)})


def npy_header(shape: tuple[int, ...], dtype: str = "<f8") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def zipped(content: bytes, zeros: int = 0) -> bytes:
    """An NPZ whose array `x` is that, followed by so many zero bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w", force_zip64=True) as x:
        x.write(content)
        piece = bytes(2**20)
        for _ in range(zeros // len(piece)):
            x.write(piece)
    return file.getvalue()


def npz_bomb_beyond_the_limit() -> bytes:
    """Some kilobytes that say they are 80 terabytes."""
    return zipped(npy_header((10**12, 10)))


def npz_bomb_within_the_limit() -> bytes:
    """Half a megabyte that is half a gigabyte, and lies about being more."""
    return zipped(npy_header((10**8, 2)), zeros=2**29)


def npz_of_a_single_row() -> bytes:
    """A row that is too long to be held as one."""
    return zipped(npy_header((1, 10**9)), zeros=2**28)


def npz_with_a_long_header() -> bytes:
    """A header that says it has 4 GiB, of which 256 MiB are there."""
    return zipped(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1), zeros=2**28)


def npz_of_long_texts() -> bytes:
    """Texts of a gigabyte each."""
    return zipped(npy_header((1, 1), "<U268435456"), zeros=2**28)


def parquet_bomb(rows: int) -> bytes:
    """One value, and that it comes so many times."""
    file = io.BytesIO()
    piece = pa.table({name: pa.array([1.5]).take(pa.array(np.zeros(10**6, np.int64))) for name in ("a", "b")})
    with parquet.ParquetWriter(file, piece.schema, compression="zstd", use_dictionary=True) as writer:
        for _ in range(rows // 10**6):
            writer.write_table(piece)
    return file.getvalue()


def parquet_of_long_texts() -> bytes:
    """A string of a megabyte that comes 100,000 times."""
    file = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * 2**20]))
    parquet.write_table(pa.table({"a": texts}), file, compression="zstd")
    return file.getvalue()


REFUSED = {
    "beyond.npz": (npz_bomb_beyond_the_limit, 413, "too_many_rows"),
    "within.npz": (npz_bomb_within_the_limit, 422, "invalid_npz"),
    "row.npz": (npz_of_a_single_row, 413, "too_many_columns"),
    "header.npz": (npz_with_a_long_header, 422, "invalid_npz"),
    "texts.npz": (npz_of_long_texts, 422, "text_too_long"),
    "texts.parquet": (parquet_of_long_texts, 422, "text_too_long"),
    "columns.csv": (
        lambda: b",".join(b"c%d" % i for i in range(10**6)) + b"\n" + b"1," * (10**6 - 1) + b"1\n",
        413,
        "too_many_columns",
    ),
    "narrow.csv": (lambda: b"," * 2**27, 413, "too_many_columns"),
    "quote.csv": (lambda: b'a,b\n1,"' + b"x" * 2**27, 422, "row_too_long"),
    "deep.json": (lambda: b"[" * 2**26, 422, "nested_value"),
    "deeper.json": (lambda: b'[{"a": ' + b"[" * 2**26, 422, "nested_value"),
    "keys.json": (lambda: b'[{"a": "' + b"x" * 2**27, 422, "invalid_json"),
    "number.json": (lambda: b"[[" + b"9" * 2**26 + b"]]", 422, "invalid_json"),
    "columns.json": (lambda: b"[[" + b"0," * (2 * 10**6) + b"0]]", 413, "too_many_columns"),
}


@pytest.mark.parametrize("filename", REFUSED)
def test_a_bomb_is_refused_in_little_memory(api_process: ApiProcess, filename: str) -> None:
    make, status, code = REFUSED[filename]
    content = make()
    api_process.forget_peak()
    before = api_process.memory()
    response = upload(api_process, filename, content)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert api_process.peak_memory() < before + TAKING_IN


def test_a_table_that_unpacks_to_half_a_gigabyte_is_read_in_little_memory(api_process: ApiProcess) -> None:
    rows = 32 * 10**6
    content = parquet_bomb(rows)
    assert len(content) < 2**20
    api_process.forget_peak()
    before = api_process.memory()
    response = upload(api_process, "many.parquet", content)
    assert (response.status_code, response.json()["rows"]) == (201, rows)
    assert api_process.peak_memory() < before + TAKING_IN


def test_uploads_at_a_time_take_little_memory_together(api_process: ApiProcess) -> None:
    content = b"a,b\n" + b"1.5,2.25\n" * 10**6
    api_process.forget_peak()
    before = api_process.memory()
    with ThreadPoolExecutor(8) as clients:
        responses = list(clients.map(lambda number: upload(api_process, f"{number}.csv", content), range(8)))
    assert [response.status_code for response in responses] == [201] * 8
    assert api_process.peak_memory() < before + TAKING_IN


FULL = 16 * 2**20 - 100
FIELDS = b",".join(b'"%d":0' % number for number in range(1_400_000))
PREDICT = "/v1/models/mdl_x/predict"
BODIES: dict[str, tuple[str, bytes, int, str]] = {
    "nested arrays": (PREDICT, b"[" * FULL, 413, "too_many_values"),
    "nested objects": (PREDICT, b'{"a":' * (FULL // 5), 413, "too_many_values"),
    "nested within the limit": (PREDICT, b"[" * 100_000, 400, "malformed_json"),
    "empty rows": (PREDICT, b'{"rows":[' + b"[]," * (FULL // 3) + b"[]]}", 413, "too_many_values"),
    "rows that are none": (PREDICT, b'{"rows":[' + b"0," * (FULL // 2) + b"0]}", 422, "invalid_request"),
    "a row without end": (PREDICT, b'{"rows":[[' + b"0," * (FULL // 2) + b"0]]}", 404, "model_not_found"),
    "layers": ("/v1/networks", b'{"name":"n","layers":[' + b"0," * (FULL // 2 - 20) + b"0]}", 422, "invalid_request"),
    "inputs": ("/v1/jobs", b'{"dataset_id":"n","inputs":[' + b"0," * (FULL // 2 - 20) + b"0]}", 422, "invalid_request"),
    "fields": ("/v1/networks", b"{" + FIELDS + b"}", 422, "invalid_request"),
    "fields of a layer": ("/v1/networks", b'{"name":"n","layers":[{' + FIELDS + b"}]}", 422, "invalid_request"),
    "a name": ("/v1/networks", b'{"name":"' + b"x" * (FULL - 100) + b'","layers":[{}]}', 422, "invalid_request"),
    "a field's name": ("/v1/networks", b'{"' + b"x" * (FULL - 100) + b'":0}', 422, "invalid_request"),
    "too much": ("/v1/networks", b" " * (17 * 2**20), 413, "request_too_large"),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_large_body_takes_little_memory_and_gets_a_short_answer(api_process: ApiProcess, what: str) -> None:
    path, body, status, code = BODIES[what]
    api_process.forget_peak()
    before = api_process.memory()
    response = api_process.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code), response.text[:300]
    assert len(response.content) < 10_000
    assert api_process.peak_memory() < before + ROOM


def test_a_thousand_bad_requests_leave_nothing_behind(api_process: ApiProcess) -> None:
    def round_of_requests() -> None:
        for number in range(100):
            upload(api_process, "t.csv", b"a,b\n1,2\n3\n")
            upload(api_process, f"{number}.npz", npy_header((10, 10)))
            api_process.client.post("/v1/networks", json={"name": str(number) * 1000, "layers": []})
            api_process.client.post(f"/v1/models/{number}/predict", json={"rows": [[number]] * 100})
            api_process.client.get(f"/v1/jobs/{number}", headers={"X": "y" * 1000})

    round_of_requests()  # the first ones fill what is kept on purpose
    before = api_process.memory()
    round_of_requests()
    assert api_process.memory() < before + 20 * 2**20
