"""NPZ: a zip of NumPy arrays `x`, shape (m, n) or (m,), and optionally `y`, shape (m,) or (m, k).

The columns are ``x_1`` … ``x_n`` and ``y``, or ``y_1`` … ``y_k`` where `y` has two dimensions. Nothing is unpacked
before the declared shapes have passed the limits, and then never a whole array in memory; nothing is unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from backprop_client.wire.datasets import ReadAs
from domain.datasets.reading.content import Content
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import BATCH_CELLS, MAX_TEXT_BYTES, Table, TableLimits, refuse_cell, refuse_file
from infra.errors import InvalidRequest, TooLarge

_CANONICAL_TYPES = {"i": pa.int64(), "u": pa.int64(), "f": pa.float64(), "b": pa.bool_(), "U": pa.string()}
"""The column's type, by NumPy's letter for a kind of type."""

MOST_HEADER_BYTES = 10_000
"""Bytes. NumPy has the same limit."""

_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError),
    SystemError,  # text that is none, from NumPy
)

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""NumPy writes these. Of others, `zipfile` unpacks at once as much as some bytes of the file say."""


@dataclass(frozen=True)
class _Declared:
    """What the header of an array says."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool

    @property
    def size(self) -> int:
        """Its bytes when unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def width(self) -> int:
        """Columns of the table that it makes."""
        return self.shape[1] if len(self.shape) == 2 else 1

    @property
    def columns(self) -> list[str]:
        """Names of those columns."""
        if self.name == "y" and len(self.shape) == 1:
            return ["y"]
        return [f"{self.name}_{position}" for position in range(1, self.width + 1)]


def read_npz(content: Content, limits: TableLimits, options: ReadingOptions) -> Table:
    """The table in an NPZ file.

    Raises:
        InvalidRequest: it is no zip of such arrays (``invalid_npz``), or an array has another shape or type
            (``unsupported_array``).
        TooLarge: the declared shapes exceed `limits`.
    """
    arrays = _declared_arrays(content)
    lengths = {array.shape[0] for array in arrays}
    if len(lengths) > 1:
        raise refuse_file(
            "unsupported_array",
            f"`x` has {arrays[0].shape[0]:,} rows and `y` has {arrays[1].shape[0]:,}; they need as many.",
        )
    limits.check(lengths.pop(), sum(array.width for array in arrays))
    for array in arrays:
        _refuse_unsupported(array)
        if array.size > 8 * limits.cells:
            raise TooLarge(
                "too_many_cells", f"`{array.name}` unpacks to {array.size:,} bytes, more than this server takes."
            )
    schema = pa.schema([(column, _CANONICAL_TYPES[array.dtype.kind]) for array in arrays for column in array.columns])
    read_as = ReadAs(format="npz", missing_values=options.missing_values)
    return Table(schema, _batches(content, arrays, schema), read_as)


def _declared_arrays(content: Content) -> list[_Declared]:
    try:
        with zipfile.ZipFile(content.opened()) as archive:
            members = set(archive.namelist())
            if "x.npy" not in members:
                raise refuse_file(
                    "invalid_npz",
                    f"The zip has no array `x`; it has {sorted(members)[:10]}. Save with numpy.savez(x=…, y=…).",
                )
            return [_declared(archive, name) for name in ("x", "y") if f"{name}.npy" in members]
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _declared(archive: zipfile.ZipFile, name: str) -> _Declared:
    if archive.getinfo(f"{name}.npy").compress_type not in _COMPRESSIONS:
        raise refuse_file("invalid_npz", f"`{name}` is compressed in another way than numpy.savez_compressed does it.")
    with archive.open(f"{name}.npy") as member:
        shape, is_fortran, dtype = _header(member)
    whole = all(type(length) is int for length in shape)  # True counts as 1 to NumPy, here and there
    if len(shape) not in (1, 2) or not whole or shape[0] < 0 or any(length < 1 for length in shape[1:]):
        raise refuse_file(
            "unsupported_array", f"`{name}` has shape {shape}; it needs one or two dimensions, and columns."
        )
    return _Declared(name, shape, dtype, is_fortran)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """What comes before the array's values. NumPy would read a header of 4 GiB before finding it too long."""
    version = npy.read_magic(member)
    size = 2 if version == (1, 0) else 4
    length = member.read(size)
    if int.from_bytes(length, "little") > MOST_HEADER_BYTES:
        raise ValueError(f"the header of an array is longer than {MOST_HEADER_BYTES:,} bytes")
    header = io.BytesIO(length + member.read(int.from_bytes(length, "little")))
    try:
        return npy.read_array_header_1_0(header) if size == 2 else npy.read_array_header_2_0(header)
    except Exception as error:  # it is read as a Python literal, which can fail in a dozen ways
        raise ValueError(f"the header of an array is none: {error}") from error


def _refuse_unsupported(array: _Declared) -> None:
    if array.dtype.kind not in _CANONICAL_TYPES:
        raise refuse_file(
            "unsupported_array", f"`{array.name}` is of type {array.dtype}; it may hold numbers, booleans or strings."
        )
    if array.dtype.kind == "U" and array.dtype.itemsize > 4 * MAX_TEXT_BYTES:
        raise refuse_file("text_too_long", f"`{array.name}` has texts longer than {MAX_TEXT_BYTES:,} characters.")
    if array.dtype.itemsize == 0:
        raise refuse_file("unsupported_array", f"`{array.name}` has only empty texts.")


def _batches(content: Content, arrays: list[_Declared], schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    row_bytes = sum(array.width * max(array.dtype.itemsize, 8) for array in arrays)
    batch_rows = max(1, BATCH_CELLS * 8 // row_bytes)
    try:
        with zipfile.ZipFile(content.opened()) as archive, ExitStack() as opened:
            parts = [opened.enter_context(closing(_read_rows(archive, array, batch_rows))) for array in arrays]
            rows_before = 0
            for blocks in zip(*parts, strict=True):
                values = [column for block in blocks for column in block.T]
                yield pa.RecordBatch.from_arrays(
                    [
                        _arrow_column(column, name, rows_before)
                        for column, name in zip(values, schema.names, strict=True)
                    ],
                    schema=schema,
                )
                rows_before += blocks[0].shape[0]
    except _UNREADABLE as error:
        raise _refusal(error) from error


def _read_rows(archive: zipfile.ZipFile, array: _Declared, batch_rows: int) -> Generator[NDArray[Any], None, None]:
    """The array's rows in blocks of shape (batch_rows, width), the last one shorter."""
    with archive.open(f"{array.name}.npy") as member:
        _header(member)
        if array.is_fortran:
            yield from _read_rows_stored_by_column(member, array, batch_rows)
            return
        for first in range(0, array.shape[0], batch_rows):
            rows = min(batch_rows, array.shape[0] - first)
            size = rows * array.width * array.dtype.itemsize
            content = member.read(size)
            if len(content) < size:
                raise ValueError(f"`{array.name}` ends before its last row")
            yield np.frombuffer(content, array.dtype).reshape(rows, array.width)


def _read_rows_stored_by_column(member: IO[bytes], array: _Declared, batch_rows: int) -> Iterator[NDArray[Any]]:
    """The first row is complete only when the last column has come: the array is unpacked into a file first."""
    with TemporaryFile() as file:
        while piece := member.read(min(2**20, array.size - file.tell())):  # what it has beyond that is not unpacked
            file.write(piece)
        if file.tell() < array.size:
            raise ValueError(f"`{array.name}` ends before its last value")
        stored = np.memmap(file, array.dtype, "r", shape=(array.shape[0], array.width), order="F")
        for first in range(0, array.shape[0], batch_rows):
            yield stored[first : first + batch_rows]


def _arrow_column(values: NDArray[Any], name: str, rows_before: int) -> pa.Array:
    kind = values.dtype.kind
    if kind == "U":
        return pa.array(values.tolist(), pa.string())
    if kind == "u" and (values > np.iinfo(np.int64).max).any():
        row = rows_before + 1 + int((values > np.iinfo(np.int64).max).argmax())
        raise refuse_cell("integer_too_large", row, name, "the integer is beyond 2⁶³ − 1; store the array as float64.")
    to = {"i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}[kind]
    return pa.array(np.ascontiguousarray(values, dtype=to))


def _refusal(error: Exception) -> InvalidRequest:
    return refuse_file("invalid_npz", f"The file cannot be read as NPZ: {error}")
