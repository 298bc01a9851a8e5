"""Which reader a file needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backprop_client.wire.datasets import Format
from domain.datasets.reading.arrow_stream import read_arrow_stream
from domain.datasets.reading.content import Content
from domain.datasets.reading.delimited.reading import read_csv
from domain.datasets.reading.json_rows import read_json_rows
from domain.datasets.reading.npz import read_npz
from domain.datasets.reading.options import ReadingOptions, suffix_of
from domain.datasets.reading.packed import is_packed, unpacked, unpacked_head
from domain.datasets.reading.parquet import read_parquet
from domain.datasets.reading.tables import Table, TableLimits, refuse_file
from domain.datasets.reading.told import as_told
from domain.datasets.reading.unsupported import refuse_other_zip, refuse_unsupported
from infra.errors import InvalidRequest

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".npz": "npz",
    ".arrows": "arrow",
}

_READERS: dict[Format, Callable[[Content, TableLimits, ReadingOptions], Table]] = {
    "csv": read_csv,
    "json": read_json_rows,
    "parquet": read_parquet,
    "npz": read_npz,
    "arrow": read_arrow_stream,
}

_HEAD_BYTES = 4_096

_ZIP = b"PK\x03\x04"

_ARROW_STREAM = b"\xff\xff\xff\xff"
"""How a message of Arrow's begins, and with it a stream. No text in any encoding does."""


def supposed_format(path: Path, filename: str) -> Format:
    """The format that a file seems to have, without unpacking anything, however damaged it may be."""
    return _BY_SUFFIX.get(suffix_of(filename)) or _by_content(_head(path))


def find_format(path: Path, filename: str) -> Format:
    """The format of a file: by the suffix of the name it was uploaded under, else by its first bytes.

    Of a packed file it is that of what is inside.

    Raises:
        InvalidRequest: the file is empty (``empty_file``), of a format that is not read (``unsupported_format``), or
            packed and damaged (``invalid_gzip``).
    """
    head = _head(path)
    packed = is_packed(head)
    if packed:
        head = unpacked_head(path, _HEAD_BYTES)
    if not head:
        raise _empty()
    suffix = suffix_of(filename)
    refuse_unsupported(head, suffix)
    if head.startswith(_ZIP) and not packed:
        refuse_other_zip(path, suffix)
    return _BY_SUFFIX.get(suffix) or _by_content(head)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _by_content(head: bytes) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_ZIP):
        return "npz"
    if head.startswith(_ARROW_STREAM):
        return "arrow"
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") else "csv"


def read_file(path: Path, file_format: Format, options: ReadingOptions, limits: TableLimits) -> Table:
    """The table in a file of any format, packed or not.

    Raises:
        InvalidRequest: the file is not of the format, or holds what a dataset cannot; see the format's reader, `packed`
            and `told`; or lacks a column that is needed (``invalid_rows``).
        TooLarge: the table exceeds `limits`.
    """
    content = Content.of(path)
    if content is not None and is_packed(content.data[:2]):
        content = unpacked(content, path, limits.unpacked_bytes)
    if content is None:
        raise _empty()
    table = _READERS[file_format](content, limits, options)
    _refuse_lacking(table, options.needed)
    return as_told(table, options)


def _refuse_lacking(table: Table, needed: tuple[str, ...]) -> None:
    lacking = [name for name in needed if name not in table.schema.names]
    if not lacking:
        return
    more = f", nor {len(lacking) - 1} others that the model needs" if lacking[1:] else ", which the model needs"
    hint = "" if table.read_as.header is not False else " It was read as one without a header."
    raise refuse_file("invalid_rows", f"The file has no column {lacking[0]!r}{more}.{hint}")


def _empty() -> InvalidRequest:
    return refuse_file("empty_file", "The file is empty.")
