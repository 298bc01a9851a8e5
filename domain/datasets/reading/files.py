"""Which reader a file needs, and what a client can say about how to read it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backprop_client.wire.datasets import Format
from domain.datasets.reading.csv import read_csv
from domain.datasets.reading.json_rows import read_json_rows
from domain.datasets.reading.npz import read_npz
from domain.datasets.reading.parquet import read_parquet
from domain.datasets.reading.tables import Table, TableLimits, refuse_file

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".npz": "npz",
}


@dataclass(frozen=True)
class ReadingOptions:
    """What the client says about the file; None: to be found out.

    Attributes:
        header: whether the first row names the columns (CSV, and JSON rows that are arrays).
        delimiter: between the cells of a CSV file.
    """

    header: bool | None = None
    delimiter: str | None = None


def find_format(path: Path, filename: str) -> Format:
    """The format of a file: by the suffix of the name it was uploaded under, else by its first bytes.

    Raises:
        InvalidRequest: the file is empty (``empty_file``).
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise refuse_file("empty_file", "The file is empty.")
    by_suffix = _BY_SUFFIX.get(PurePosixPath(filename).suffix.lower())
    if by_suffix:
        return by_suffix
    if head.startswith(b"PAR1"):
        return "parquet"
    if zipfile.is_zipfile(path):
        return "npz"
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") else "csv"


def read_file(path: Path, file_format: Format, options: ReadingOptions, limits: TableLimits) -> Table:
    """The table in a file of any format.

    Raises:
        InvalidRequest: the file is not of the format, or holds what a dataset cannot; see the format's reader.
        TooLarge: the table exceeds `limits`.
    """
    match file_format:
        case "csv":
            return read_csv(path, limits, options.header, options.delimiter)
        case "json":
            return read_json_rows(path, limits, options.header or False)
        case "parquet":
            return read_parquet(path, limits)
        case "npz":
            return read_npz(path, limits)
