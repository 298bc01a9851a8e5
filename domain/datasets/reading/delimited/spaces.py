"""Columns cut by spaces: any number of spaces and tabs between two cells is one tab, and none are around a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.datasets.reading.content import PIECE_BYTES, Content

_PARTS = re.compile(r'(?<![^ \t])"(?:[^"]|"")*+"|[ \t]+')


def cut_by_spaces(line: str) -> str:
    """A line with a tab between its cells. What a quoted cell holds is left as it is."""
    body = line.rstrip("\r\n")
    cut = _PARTS.sub(lambda part: part[0] if part[0].startswith('"') else "\t", body.strip(" \t"))
    return cut + line[len(body) :]


def lines_cut_by_spaces(content: Content, begin: int) -> Iterator[bytes]:
    """The lines from `begin` on, so cut."""
    lines: list[str] = []
    size = 0
    for line in content.lines(begin):
        lines.append(cut_by_spaces(line.decode()))
        size += len(line)
        if size >= PIECE_BYTES:
            yield "".join(lines).encode()
            lines, size = [], 0
    yield "".join(lines).encode()
