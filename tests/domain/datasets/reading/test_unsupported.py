from __future__ import annotations

import io
import pickle
import zipfile

import pyarrow as pa
import pytest
from pyarrow import feather

from infra.errors import InvalidRequest
from tests.support.uploads import take_in


def zip_of(*members: str) -> bytes:
    """A zip archive with such members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for member in members:
            archive.writestr(zipfile.ZipInfo(member), "x")  # of 1980: names of tests go by it
    return content.getvalue()


def feather_file() -> bytes:
    content = io.BytesIO()
    feather.write_feather(pa.table({"a": [1]}), content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("filename", "content", "says"),
    [
        ("t.xlsx", zip_of("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        ("t.csv", zip_of("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        ("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an Excel workbook"),
        ("t.ods", zip_of("mimetype", "content.xml"), "an OpenDocument file"),
        ("t.zip", zip_of("t.csv"), "a zip archive"),
        ("t", zip_of("t.csv"), "a zip archive"),
        ("t.arff", b"% made by us\n\n@RELATION iris\n@ATTRIBUTE x REAL\n", "an ARFF file"),
        ("t.txt", b"+1 1:0.5 7:-1e-3\n-1 2:1\n", "a LIBSVM file"),
        ("t.html", b"\xef\xbb\xbf<!DOCTYPE html><table></table>", "an HTML page"),
        ("t.xls", b"<html><table></table></html>", "an HTML page"),
        ("t.xml", b'<?xml version="1.0"?><rows/>', "an XML file"),
        ("t.feather", feather_file(), "an Arrow or Feather file"),
        ("t.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        ("t.sav", b"$FL2@(#)", "an SPSS file"),
        ("t.dta", b"\x72\x02\x01\0" + bytes(100), "a Stata file"),
        ("t.dta", b"<stata_dta><header>", "a Stata file"),
        ("t.pkl", pickle.dumps([1, 2]), "a Python pickle"),
        ("t.npy", b"\x93NUMPY\1\0", "a single NumPy array"),
        ("t.mat", b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        ("t.7z", b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    ],
)
def test_a_file_that_is_not_read_is_named_and_what_to_save_it_as(filename: str, content: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in(filename, content)
    assert refusal.value.code == "unsupported_format"
    assert says in refusal.value.message
    assert "save it as" in refusal.value.message


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("t.xls", "a\tb\n1\t2\n"),
        ("t.txt", "when,what\n1,12:30\n2,13:30\n"),
        ("t.txt", "ORCHARD,b\n1,2\n"[1:]),
        ("t.csv", "relation,b\n1,2\n"),
    ],
)
def test_text_is_read_whatever_its_name_is(filename: str, content: str) -> None:
    assert take_in(filename, content).rows
