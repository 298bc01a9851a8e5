"""Files packed with gzip: they are read as what is inside."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from domain.datasets.reading.content import PIECE_BYTES, Content
from domain.datasets.reading.tables import refuse_file
from infra.errors import TooLarge

_MAGIC = b"\x1f\x8b"


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so is packed."""
    return head.startswith(_MAGIC)


def unpacked_head(path: Path, size: int) -> bytes:
    """The first bytes of what is inside.

    Raises:
        InvalidRequest: it is damaged (``invalid_gzip``).
    """
    return next(_unpacked_pieces(path, size), b"")


def unpacked(content: Content, path: Path, most_bytes: int) -> Content | None:
    """What is inside, on the disk; None if that is empty.

    Raises:
        InvalidRequest: it is damaged (``invalid_gzip``).
        TooLarge: it is longer than `most_bytes` (``upload_too_large``).
    """

    def bounded() -> Iterator[bytes]:
        size = 0
        for piece in _unpacked_pieces(path, PIECE_BYTES):
            size += len(piece)
            if size > most_bytes:
                raise TooLarge(
                    "upload_too_large",
                    f"The file unpacks to more than the {most_bytes:,} bytes that this server takes "
                    "(BACKPROP_MAX_UPLOAD_BYTES).",
                )
            yield piece

    return content.rewritten(bounded())


def _unpacked_pieces(path: Path, size: int) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            while piece := file.read(size):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise refuse_file("invalid_gzip", f"The file cannot be unpacked: {error}.") from error
