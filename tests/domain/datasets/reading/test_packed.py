from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pytest

from domain.datasets.reading.tables import TableLimits
from infra.errors import InvalidRequest, TooLarge
from tests.support.uploads import json_file, npz_file, parquet_file, take_in

CSV = b"a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("t.csv.gz", CSV),
        ("t.csv", CSV),
        ("t", CSV),
        ("T.JSON.GZ", json_file(["a", "b"], [[1, "x"], [2, "y"]]).encode()),
        ("t.gz", json_file(["a", "b"], [[1, "x"], [2, "y"]]).encode()),
        ("t.parquet.gz", parquet_file(pa.table({"a": [1, 2], "b": ["x", "y"]}))),
        ("t.tsv.gz", b"a\tb\n1\tx\n2\ty\n"),
        ("t.csv.gz", "a,b\n1,x\n2,y\n".encode("utf-16")),
    ],
)
def test_a_packed_file_is_read_as_what_is_inside(filename: str, content: bytes) -> None:
    taken = take_in(filename, gzip.compress(content))
    assert (taken.names, taken.rows) == (["a", "b"], [[1, "x"], [2, "y"]])


def test_arrays_may_be_packed() -> None:
    assert take_in("t.npz.gz", gzip.compress(npz_file(x=np.arange(3)))).rows == [[0], [1], [2]]
    assert take_in("t", gzip.compress(npz_file(x=np.arange(3)))).rows == [[0], [1], [2]]


def test_packed_files_that_follow_each_other_are_one() -> None:
    assert take_in("t.csv.gz", gzip.compress(CSV) + gzip.compress(b"3,z\n")).rows == [[1, "x"], [2, "y"], [3, "z"]]


@pytest.mark.parametrize(
    "damaged",
    [gzip.compress(CSV, mtime=0)[:-9], b"\x1f\x8b\x08", b"\x1f\x8bno gzip at all", gzip.compress(CSV, mtime=0)[:12]],
)
def test_a_damaged_one_is_refused(damaged: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv.gz", damaged)
    assert refusal.value.code == "invalid_gzip"


def test_one_with_nothing_inside_is_empty() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv.gz", gzip.compress(b""))
    assert refusal.value.code == "empty_file"


def test_one_that_unpacks_to_more_than_an_upload_may_have_is_refused() -> None:
    limits = TableLimits(rows=10**8, columns=10, cells=10**6)
    with pytest.raises(TooLarge) as refusal:
        take_in("t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 10**6), limits=limits)
    assert refusal.value.code == "upload_too_large"
    assert len(take_in("t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 10**5), limits=limits).rows) == 10**5
