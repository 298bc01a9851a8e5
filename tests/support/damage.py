"""Small files of every format, and ways to damage them: the same seed and number, the same damaged file."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from backprop_client.wire.datasets import Format
from tests.support.uploads import arrow_file, csv_file, json_file, json_lines_file, npz_file

ROWS = 60
NAMES = ("age", "height", "member", "colour")


@dataclass(frozen=True)
class DamagedFile:
    """A file that was one of that format."""

    format: Format
    content: bytes


def damaged_file(seed: int, number: int) -> DamagedFile:
    """The file of that number."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311
    file_format: Format = rng.choices(("parquet", "npz", "csv", "json", "arrow"), (6, 2, 1, 1, 3))[0]
    content = bytearray(rng.choice(_whole_files()[file_format]))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(_DAMAGES)(content, rng)
    return DamagedFile(file_format, bytes(content))


def _somewhere(content: bytearray, rng: random.Random) -> int:
    """A place in the file: mostly in its beginning or its end, where it says what it is."""
    place = rng.random()
    if place < 0.15:
        return rng.randrange(min(128, len(content)))
    if place < 0.75:
        return len(content) - 1 - rng.randrange(min(1_500, len(content)))
    return rng.randrange(len(content))


def _flip_bits(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        content[_somewhere(content, rng)] ^= 1 << rng.randrange(8)


def _overwrite(content: bytearray, rng: random.Random) -> None:
    at = _somewhere(content, rng)
    size = rng.choice((1, 1, 2, 4, 8))
    content[at : at + size] = rng.choice((rng.randbytes(size), b"\xff" * size, b"\x7f" * size))


def _zero(content: bytearray, rng: random.Random) -> None:
    at = _somewhere(content, rng)
    size = min(rng.choice((1, 4, 16, 64, 1_000)), len(content) - at)
    content[at : at + size] = bytes(size)


def _cut(content: bytearray, rng: random.Random) -> None:
    at = _somewhere(content, rng)
    del content[at : at + rng.choice((1, 2, 16, len(content)))]
    content += b"\0" if not content else b""


def _splice(content: bytearray, rng: random.Random) -> None:
    """Put a piece of this file or another one somewhere, over what is there or between."""
    other = rng.choice(_whole_files()[rng.choice(("parquet", "npz", "csv", "json", "arrow"))])
    source = rng.choice((bytes(content), other))
    start = rng.randrange(len(source))
    piece = source[start : start + rng.choice((1, 4, 32, 500))]
    at = _somewhere(content, rng)
    content[at : at + len(piece) * rng.randrange(2)] = piece


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip_bits, _overwrite, _zero, _cut, _splice)


@cache
def _whole_files() -> dict[Format, list[bytes]]:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "age": pa.array([None if row % 7 == 0 else row for row in range(ROWS)], pa.int32()),
            "height": rng.normal(170, 10, ROWS),
            "member": [row % 3 == 0 for row in range(ROWS)],
            "colour": [f"colour {row % 5}" for row in range(ROWS)],
        }
    )
    rows = [list(row.values()) for row in table.to_pylist()]
    x = rng.normal(size=(ROWS, 3))
    return {
        "parquet": [
            _parquet(table),
            _parquet(table, row_group_size=20, compression="zstd", data_page_version="2.0", write_page_index=True),
            _parquet(table, compression="none", use_dictionary=False, write_statistics=False),
            _parquet(table.append_column("code", table["colour"].dictionary_encode()), compression="gzip"),
            _parquet(pa.table({"a": [1.5]})),
            _parquet(
                pa.table(
                    {"t": pa.array(range(ROWS), pa.timestamp("ns", "UTC")), "d": pa.array([1] * ROWS, pa.date32())}
                )
            ),
        ],
        "npz": [
            npz_file(x=x, y=np.arange(ROWS)),
            npz_file(x=np.asfortranarray(x), y=np.array(["a", "é"] * (ROWS // 2))),
            _stored_npz(x),
        ],
        "csv": [
            csv_file(NAMES, rows).encode(),
            csv_file(NAMES, [[*row[:3], 'quoted; "twice"\nand more'] for row in rows], ";").encode(),
            csv_file(NAMES, [[*row[:3], "größe"] for row in rows]).encode("utf-16"),
            csv_file(NAMES, [[f"{row}%", f"{row},5", "2020-01-31T12:30Z", "größe"] for row in range(ROWS)], ";").encode(
                "cp1252"
            ),
            "".join(f'{row}  {row / 7:.3f}\t"a b"\n' for row in range(ROWS)).encode(),
            "".join(f'"a \\"{row}\\" b", "c",{row}\n' for row in range(ROWS)).encode(),
            gzip.compress(csv_file(NAMES, rows).encode()),
        ],
        "json": [json_file(NAMES, rows).encode(), json_lines_file(NAMES, rows).encode(), _json_of_moments()],
        "arrow": [
            arrow_file(table),
            arrow_file(table, batch_rows=20, compression="lz4"),
            arrow_file(table.append_column("code", table["colour"].dictionary_encode())),
            arrow_file(table.append_column("view", table["colour"].cast(pa.string_view()))),
        ],
    }


def _parquet(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file, **options)
    return file.getvalue()


def _json_of_moments() -> bytes:
    rows = [{"when": f"2020-01-31T12:{row % 60:02}Z", "at": "12:30"} for row in range(ROWS)]
    return gzip.compress(json.dumps(rows).encode())


def _stored_npz(x: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, x=x)
    return file.getvalue()
