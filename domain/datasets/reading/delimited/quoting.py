r"""Quoted cells as RFC 4180 has them: a quote opens a cell only as its first character, and is doubled inside.

Two habits of others are brought into that form before the file is read:

- spaces before the opening quote, or after the closing one: ``1, "red"``;
- quotes with a backslash before them: ``"a \"b\" c"``. In such a file a backslash before another stands for one. A file
  is of that kind if, with doubled quotes only, some quoted cell would not end where its cell ends, and with backslashes
  all do. ``"C:\"`` alone does not make it one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.datasets.reading.content import Content

_ESCAPED = re.compile(rb'\\(["\\])')
_UNESCAPED = {b'"': b'""', b"\\": b"\\"}


def has_backslashed_quotes(content: Content, begin: int, delimiter: str) -> bool:
    """Whether the file has quotes with a backslash before them, rather than texts that end in one."""
    if content.data.find(b'\\"', begin) < 0:
        return False
    return not _all_end(content, begin, delimiter, escapes=False) and _all_end(content, begin, delimiter, escapes=True)


def has_spaces_before_quotes(content: Content, begin: int, delimiter: str) -> bool:
    """Whether a quote comes after spaces at the start of a cell, or what looks like that within a text."""
    if content.data.find(b' "', begin) < 0:
        return False
    start = re.compile(rb"[" + re.escape(delimiter.encode()) + rb'\r\n] +"')
    return content.data[begin : begin + 2].startswith(b" ") or start.search(content.data, begin) is not None


def in_standard_form(content: Content, begin: int, delimiter: str, escapes: bool) -> Iterator[bytes]:
    """The bytes from `begin` on, their quoted cells in the form of RFC 4180.

    Args:
        content: what is rewritten.
        begin: where a row begins.
        delimiter: between the cells.
        escapes: whether quotes have a backslash before them.
    """
    done = begin
    for cell in _quoted_cells(content, begin, delimiter, escapes):
        if not _ends(cell):
            continue
        yield from content.pieces(done, begin + cell.start())
        text = cell["text"]
        yield b'"' + (_ESCAPED.sub(lambda match: _UNESCAPED[match[1]], text) if escapes else text) + b'"'
        done = begin + cell.end()
    yield from content.pieces(done)


def _all_end(content: Content, begin: int, delimiter: str, escapes: bool) -> bool:
    """Whether all quoted cells end with their closing quote."""
    return all(map(_ends, _quoted_cells(content, begin, delimiter, escapes)))


def _ends(cell: re.Match[bytes]) -> bool:
    return cell["closed"] is not None


def _quoted_cells(content: Content, begin: int, delimiter: str, escapes: bool) -> Iterator[re.Match[bytes]]:
    """All that begin like one, from the first quote on. Their places are counted from `begin`."""
    around = re.escape(delimiter.encode()) + rb"\r\n"
    inside = rb'[^"\\]|\\.|""' if escapes else rb'[^"]|""'
    pattern = re.compile(
        rb"(?:\A|(?<=[" + around + rb'])) *"(?P<text>(?:' + inside + rb')*+)(?P<closed>" *(?=[' + around + rb"]|\Z))?",
        re.DOTALL,
    )
    return pattern.finditer(memoryview(content.data)[begin:])
