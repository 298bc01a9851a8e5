"""Formats that are not read, by what their files begin with, so that a client is told what to save instead."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domain.datasets.reading.tables import refuse_file


@dataclass(frozen=True)
class _Unsupported:
    """A format that is not read: what it is, and what a file of it is to be saved as."""

    name: str
    save_as: str = "CSV or Parquet"


_EXCEL = _Unsupported("an Excel workbook", "CSV (in Excel: Save As, CSV UTF-8)")
_ARROW = _Unsupported("an Arrow or Feather file", "Parquet")
_STATA = _Unsupported("a Stata file")
_PICKLE = _Unsupported("a Python pickle", "Parquet, or arrays as NPZ")

_BEGINNINGS: tuple[tuple[bytes, _Unsupported], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _EXCEL),
    (b"ARROW1", _ARROW),
    (b"FEA1", _ARROW),
    (b"\x89HDF\r\n\x1a\n", _Unsupported("an HDF5 file")),
    (b"$FL2", _Unsupported("an SPSS file")),
    (b"$FL3", _Unsupported("an SPSS file")),
    (b"<stata_dta>", _STATA),
    (b"\x93NUMPY", _Unsupported("a single NumPy array", "NPZ, with numpy.savez(x=…)")),
    (b"MATLAB 5.0 MAT-file", _Unsupported("a MATLAB file")),
    (b"ORC", _Unsupported("an ORC file", "Parquet")),
    (b"Obj\x01", _Unsupported("an Avro file", "Parquet")),
    (b"SQLite format 3\0", _Unsupported("a SQLite database")),
    (b"%PDF-", _Unsupported("a PDF")),
    (b"BZh", _Unsupported("packed with bzip2", "gzip, or unpack it")),
    (b"\xfd7zXZ\0", _Unsupported("packed with xz", "gzip, or unpack it")),
    (b"\x28\xb5\x2f\xfd", _Unsupported("packed with zstd", "gzip, or unpack it")),
    (b"7z\xbc\xaf\x27\x1c", _Unsupported("a 7-Zip archive", "gzip, or unpack it")),
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
)

_TEXTS: tuple[tuple[re.Pattern[bytes], _Unsupported], ...] = (
    (re.compile(rb"\s*(?:%[^\n]*\n\s*)*@relation\b", re.IGNORECASE), _Unsupported("an ARFF file")),
    (re.compile(rb"\s*<(?:!doctype\s+html|html|table)\b", re.IGNORECASE), _Unsupported("an HTML page")),
    (re.compile(rb"\s*<\?xml\b", re.IGNORECASE), _Unsupported("an XML file")),
    (
        re.compile(rb"(?:[+-]?[0-9.]+(?:[ \t]+[0-9]+:[0-9.eE+-]+)+[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)){1,3}"),
        _Unsupported("a LIBSVM file"),
    ),
)

_BINARY_SUFFIXES: dict[str, _Unsupported] = {
    ".xls": _EXCEL,
    ".xlsb": _EXCEL,
    ".dta": _STATA,
    ".sav": _Unsupported("an SPSS file"),
    ".pkl": _PICKLE,
    ".pickle": _PICKLE,
    ".h5": _Unsupported("an HDF5 file"),
    ".sas7bdat": _Unsupported("a SAS file"),
    ".mat": _Unsupported("a MATLAB file"),
    ".rds": _Unsupported("an R file"),
    ".rdata": _Unsupported("an R file"),
}
"""Of these some have no certain beginning. They are looked at where the content is not text."""

_ZIPS: tuple[tuple[str, _Unsupported], ...] = (
    ("xl/", _EXCEL),
    ("content.xml", _Unsupported("an OpenDocument file", "CSV")),
)


def refuse_unsupported(head: bytes, suffix: str) -> None:
    """Refuse a file of a format that is known and not read.

    Args:
        head: its first bytes.
        suffix: of its name.

    Raises:
        InvalidRequest: it is one (``unsupported_format``).
    """
    for beginning, unsupported in _BEGINNINGS:
        if head.startswith(beginning):
            raise _refusal(unsupported)
    for pattern, unsupported in _TEXTS:
        if pattern.match(head.removeprefix(b"\xef\xbb\xbf")):
            raise _refusal(unsupported)
    if b"\0" in head and suffix in _BINARY_SUFFIXES:
        raise _refusal(_BINARY_SUFFIXES[suffix])


def refuse_other_zip(path: Path, suffix: str) -> None:
    """Refuse a zip that is no NPZ.

    Raises:
        InvalidRequest: it is one (``unsupported_format``).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):  # the reader of NPZ says what is wrong
        return
    for beginning, unsupported in _ZIPS:
        if any(member.startswith(beginning) for member in members):
            raise _refusal(unsupported)
    if suffix != ".npz" and not _has_arrays(members):
        raise _refusal(_Unsupported("a zip archive", "the files that are in it, one at a time"))


def _has_arrays(members: Iterable[str]) -> bool:
    return any(member.endswith(".npy") for member in members)


def _refusal(unsupported: _Unsupported) -> Exception:
    return refuse_file(
        "unsupported_format", f"The file is {unsupported.name}, which is not read; save it as {unsupported.save_as}."
    )
