"""Taking in a multipart body as it comes: the file goes to disk, the fields into memory, nothing is kept twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from domain.datasets.names import composed
from infra.errors import FieldError, InvalidRequest, TooLarge

MAX_FIELD_BYTES = 4 * 2**10
MAX_FILENAME_LENGTH = 200

_MOST_BYTES_BESIDES_THE_FILE = 2**20
_FILE = "file"


@dataclass(frozen=True)
class Upload:
    """What came with a multipart body.

    Attributes:
        filename: last part of the path that the client gave, printable and in Unicode's form NFC.
        bytes: length of the file.
        sha256: of the file, in hexadecimal.
        fields: the other parts, by name.
    """

    filename: str
    bytes: int
    sha256: str
    fields: dict[str, str]


@dataclass
class _Part:
    """The part being read: its headers, and what it is by them."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    name: str = ""
    content: bytearray = field(default_factory=bytearray)


class UploadReceiver:
    """Parses a multipart body that is fed to it piece by piece."""

    def __init__(
        self,
        content_type: str,
        file: IO[bytes],
        max_bytes: int,
        before_file: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        """Begin.

        Args:
            content_type: the request's header, which names the boundary.
            file: where the content of the part named ``file`` is written.
            max_bytes: longest such content.
            before_file: is told the fields that have come before the file, and may refuse it by raising.

        Raises:
            InvalidRequest: the request is no multipart form (code ``multipart_required``).
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise InvalidRequest(
                "multipart_required", "The body must be multipart/form-data with a boundary, and have a part `file`."
            )
        self._file = file
        self._max_bytes = max_bytes
        self._before_file = before_file
        self._fields: dict[str, str] = {}
        self._filename: str | None = None
        self._bytes = 0
        self._body_bytes = 0
        self._sha256 = hashlib.sha256()
        self._part = _Part()
        self._is_complete = False
        with _malformed_refused():
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_to_header_name,
                    "on_header_value": self._add_to_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )

    def feed(self, piece: bytes) -> None:
        """Take in the next piece of the body.

        Raises:
            InvalidRequest: the body is no well-formed form (``malformed_multipart``), or two of its parts have the same
                name (``duplicate_field``).
            TooLarge: the file is longer than `max_bytes`, or what comes besides it too long (``upload_too_large``).
        """
        self._body_bytes += len(piece)
        if self._body_bytes > self._max_bytes + _MOST_BYTES_BESIDES_THE_FILE:
            raise self._too_large()
        with _malformed_refused():
            self._parser.write(piece)
        if self._body_bytes - self._bytes > _MOST_BYTES_BESIDES_THE_FILE:
            raise TooLarge(
                "upload_too_large", f"The form has more than {_MOST_BYTES_BESIDES_THE_FILE:,} bytes besides its file."
            )

    def finish(self) -> Upload:
        """What has come, once the body has ended; the file is flushed.

        Raises:
            InvalidRequest: the body ended too early (``malformed_multipart``) or had no file (``file_required``).
        """
        if not self._is_complete:
            raise InvalidRequest("malformed_multipart", "The multipart body ends before its last boundary.")
        if self._filename is None:
            raise InvalidRequest(
                "file_required", "The form has no part named `file`.", (FieldError("/file", "is required"),)
            )
        self._file.flush()
        return Upload(self._filename, self._bytes, self._sha256.hexdigest(), self._fields)

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_to_header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _add_to_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _end_header(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._part.header_value))
            self._part.name = options.get(b"name", b"").decode(errors="replace")
            if self._part.name == _FILE:
                self._begin_file(options.get(b"filename", b"").decode(errors="replace"))
        self._part.header_name.clear()
        self._part.header_value.clear()

    def _begin_file(self, filename: str) -> None:
        if self._filename is not None:
            raise _duplicate(_FILE)
        if self._before_file is not None:
            self._before_file(self._fields)
        self._filename = _printable_base_name(filename)

    def _end_headers(self) -> None:
        if not self._part.name:
            raise InvalidRequest("malformed_multipart", "A part of the multipart body has no name.")
        if self._part.name in self._fields:
            raise _duplicate(self._part.name)

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        if self._part.name == _FILE:
            self._add_to_file(memoryview(data)[start:end])
            return
        self._part.content += data[start:end]
        if len(self._part.content) > MAX_FIELD_BYTES:
            raise InvalidRequest(
                "field_too_long",
                f"The field {self._part.name!r} is longer than {MAX_FIELD_BYTES:,} bytes.",
                (FieldError(f"/{self._part.name}", "is too long"),),
            )

    def _add_to_file(self, content: memoryview) -> None:
        self._bytes += len(content)
        if self._bytes > self._max_bytes:
            raise self._too_large()
        self._sha256.update(content)
        self._file.write(content)

    def _end_part(self) -> None:
        if self._part.name != _FILE:
            self._fields[self._part.name] = self._part.content.decode(errors="replace")

    def _end(self) -> None:
        self._is_complete = True

    def _too_large(self) -> TooLarge:
        return TooLarge(
            "upload_too_large",
            f"The file is larger than the {self._max_bytes:,} bytes this server takes (BACKPROP_MAX_UPLOAD_BYTES).",
            (FieldError("/file", "is too large"),),
        )


@contextmanager
def _malformed_refused() -> Iterator[None]:
    """Turn the parser's own errors into refusals."""
    try:
        yield
    except FormParserError as error:
        raise InvalidRequest("malformed_multipart", f"The multipart body is malformed: {error}.") from error


def _duplicate(name: str) -> InvalidRequest:
    message = f"The form has two parts named {name!r}."
    return InvalidRequest("duplicate_field", message, (FieldError(f"/{name}", message),))


def _printable_base_name(filename: str) -> str:
    base = PureWindowsPath(filename).name  # takes both kinds of slash
    printable = "".join(character if character.isprintable() else "_" for character in composed(base))
    return printable[-MAX_FILENAME_LENGTH:] or "upload"
