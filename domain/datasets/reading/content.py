"""What is read: bytes on the disk, the upload itself or what has been made of it on the way to a table."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import pyarrow as pa

PIECE_BYTES = 2**20
"""Bytes. So many are looked at, or written, at a time."""


@dataclass(frozen=True)
class Content:
    """Bytes that can be read any number of times. They are mapped, so they take no memory of their own.

    Attributes:
        data: all of them, at least one.
        folder: where there is room for others.
    """

    data: mmap.mmap
    folder: Path

    @classmethod
    def of(cls, path: Path) -> Content | None:
        """The content of a file; None if it is empty."""
        with path.open("rb") as file:
            return cls(_mapped(file.fileno()), path.parent) if path.stat().st_size else None

    def opened(self, begin: int = 0) -> pa.BufferReader:
        """A file of the bytes from `begin` on."""
        return pa.BufferReader(pa.py_buffer(self.data)[begin:])

    def pieces(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `begin` to before `end`, some at a time."""
        end = len(self.data) if end is None else end
        for start in range(begin, end, PIECE_BYTES):
            yield self.data[start : min(start + PIECE_BYTES, end)]

    def lines(self, begin: int = 0) -> Iterator[bytes]:
        """The lines from `begin` on, with their ends."""
        while begin < len(self.data):
            end = self.data.find(b"\n", begin) + 1 or len(self.data)
            yield self.data[begin:end]
            begin = end

    def rewritten(self, pieces: Iterable[bytes]) -> Content | None:
        """Other content, on the disk as well; None if it is empty.

        It has no name there, so nothing of it is left once nobody has it any more, however this process ends.
        """
        with TemporaryFile(dir=self.folder) as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            return Content(_mapped(file.fileno()), self.folder) if file.tell() else None


def _mapped(descriptor: int) -> mmap.mmap:
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
