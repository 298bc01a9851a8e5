"""From the bytes of a file to UTF-8 text, in which encoding ever it is.

- What the client says is believed.
- A byte order mark, or the zeros between Latin letters, tell UTF-16.
- What is UTF-8 is taken for it, and left as it is.
- What has bytes beyond ASCII and no two of them that make a character in UTF-8 is taken for Windows-1252, which the
  programs of Windows write for Western languages. A remark says so.
- A file that has both is refused: it is UTF-8 and damaged, or made of two files.

Byte order marks count nowhere, as they are left in the middle where files have been joined.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from backprop_client.wire.datasets import Remark
from domain.datasets.reading.content import Content
from domain.datasets.reading.tables import refuse_file
from infra.errors import InvalidRequest

MARK = "\ufeff"
_MARK_BYTES = MARK.encode()

_HEAD_BYTES = 4_096

_WINDOWS_1252 = "windows-1252"

_CHARACTER_OF_SEVERAL_BYTES = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True)
class Text:
    """A file's text.

    Attributes:
        content: as UTF-8, with one byte order mark at most, at the start.
        encoding: that the file has.
        has_quotes: whether it has quotes at all.
        remarks: about it.
    """

    content: Content
    encoding: str
    has_quotes: bool = True
    remarks: tuple[Remark, ...] = ()


def utf8_text(content: Content, encoding: str | None) -> Text:
    """The text of a file.

    Args:
        content: the file's.
        encoding: what the client says it is; None: see the module's rules.

    Raises:
        InvalidRequest: it is no text (``not_text``), or not in its encoding (``not_utf8``), or has nothing in it
            (``empty_file``).
    """
    encoding = encoding or wide_encoding(content.data[:_HEAD_BYTES])
    if encoding is not None and encoding != "utf-8":
        return Text(_decoded(content, encoding), named(encoding))
    if b"\0" in content.data[:_HEAD_BYTES]:
        raise refuse_file("not_text", "The file is not text, so it is no CSV; name its format if it is another.")
    found = _look_through(content)
    if not found.is_utf8:
        if encoding == "utf-8" or _CHARACTER_OF_SEVERAL_BYTES.search(content.data):
            raise _not_in(content, "utf-8")
        remark = _taken_for_windows_1252(content)
        return Text(_decoded(content, _WINDOWS_1252), _WINDOWS_1252, found.has_quotes, (remark,))
    if not found.is_ascii and content.data.find(_MARK_BYTES, 1) >= 0:
        content = _decoded(content, "utf-8")
    return Text(content, "utf-8", found.has_quotes)


def wide_encoding(head: bytes) -> str | None:
    """UTF-16, by the first bytes of a file; None if it is not that."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = head[0::2], head[1::2]
    # Four letters of five have a zero beside them, and no other text has any.
    if second and second.count(0) * 5 > len(second) * 4 and not first.count(0):
        return "utf-16-le"
    if second and first.count(0) * 5 > len(first) * 4 and not second.count(0):
        return "utf-16-be"
    return None


def named(encoding: str) -> str:
    """An encoding as people call it: Python has names of its own."""
    return {"cp1252": _WINDOWS_1252, "utf-16-le": "utf-16", "utf-16-be": "utf-16"}.get(encoding, encoding)


def decoded_pieces(content: Content, encoding: str) -> Iterator[str]:
    """The text of a file piece by piece, without byte order marks.

    Raises:
        InvalidRequest: it is not in that encoding (``not_utf8``).
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in content.pieces():
            yield decoder.decode(piece).replace(MARK, "")
        yield decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise _not_in(content, encoding) from error


def _decoded(content: Content, encoding: str) -> Content:
    try:
        decoded = content.rewritten(piece.encode() for piece in decoded_pieces(content, encoding))
    except UnicodeEncodeError as error:  # halves of surrogate pairs
        raise _not_in(content, encoding) from error
    if decoded is None:
        raise refuse_file("empty_file", "The file is empty.")
    if b"\0" in decoded.data[:_HEAD_BYTES]:
        raise refuse_file("not_text", f"The file is not text in {named(encoding)}.")
    return decoded


@dataclass(frozen=True)
class _Found:
    is_utf8: bool
    is_ascii: bool
    has_quotes: bool


def _look_through(content: Content) -> _Found:
    """What one look at all bytes tells. It takes a hundredth of the reading."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = is_ascii = True
    has_quotes = False
    for piece in content.pieces():
        has_quotes = has_quotes or b'"' in piece
        is_ascii = is_ascii and piece.isascii()
        if is_utf8 and not is_ascii:  # asking for ASCII takes a tenth of decoding
            is_utf8 = _decodes(decoder, piece)
    return _Found(is_utf8 and _decodes(decoder, b"", final=True), is_ascii, has_quotes)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _taken_for_windows_1252(content: Content) -> Remark:
    first = _BEYOND_ASCII.search(content.data)
    assert first is not None  # noqa: S101  # or it would be UTF-8
    line = content.data[: first.start()].count(b"\n") + 1
    return Remark(
        message=f"The file is not UTF-8 and was read as Windows-1252; line {line:,} has the first character that "
        "differs. If it looks wrong, say `encoding`."
    )


def _not_in(content: Content, encoding: str) -> InvalidRequest:
    name = "UTF-8" if encoding == "utf-8" else named(encoding)
    place = _first_line_not_in(content, encoding)
    return refuse_file(
        "not_utf8",
        f"{place} is not {name} text; save the file as UTF-8, or say its `encoding`.",
    )


def _first_line_not_in(content: Content, encoding: str) -> str:
    """The line is counted where line ends are single bytes; elsewhere the file as a whole must do."""
    if encoding in ("utf-8", "cp1252", _WINDOWS_1252):
        for number, line in enumerate(content.lines(), start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f"Line {number:,}"
    return "The file"
