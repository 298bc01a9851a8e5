from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.datasets.receiving import MAX_FIELD_BYTES, Upload, UploadReceiver
from infra.errors import InvalidRequest, TooLarge

CONTENT_TYPE = "multipart/form-data; boundary=limit"


def _part(name: str, content: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return b"--limit\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


def _body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--limit--\r\n"


def _receive(body: bytes, piece: int = 10**6, max_bytes: int = 10**6) -> tuple[Upload, bytes]:
    file = io.BytesIO()
    receiver = UploadReceiver(CONTENT_TYPE, file, max_bytes)
    for first in range(0, len(body), piece):
        receiver.feed(body[first : first + piece])
    return receiver.finish(), file.getvalue()


@settings(deadline=None)
@given(
    content=st.binary(max_size=300) | st.text("-\r\nlimt", max_size=100).map(str.encode),
    name=st.text(max_size=20),
    piece=st.integers(1, 80),
    file_first=st.booleans(),
)
def test_the_file_comes_out_as_it_went_in_however_the_body_is_cut(
    content: bytes, name: str, piece: int, file_first: bool
) -> None:
    if b"\r\n--limit" in b"\r\n" + content:
        return  # not what a client with that boundary would send
    parts = [_part("file", content, "é.csv"), _part("name", name.encode())]
    if b"\r\n--limit" in b"\r\n" + name.encode():
        return
    upload, written = _receive(_body(*(parts if file_first else reversed(parts))), piece)
    assert written == content
    assert upload == Upload("é.csv", len(content), hashlib.sha256(content).hexdigest(), {"name": name})


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("C:\\\\Users\\\\me\\\\table.csv", "table.csv"),
        ("../../etc/passwd", "passwd"),
        ("a\x07b.csv", "a_b.csv"),
        ("", "upload"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
    ],
)
def test_of_the_file_name_only_the_last_part_is_kept(given_name: str, kept: str) -> None:
    upload, _ = _receive(_body(_part("file", b"", given_name)))
    assert upload.filename == kept


def test_a_file_at_the_limit_is_taken_and_one_byte_more_is_refused_before_the_rest_comes() -> None:
    _, written = _receive(_body(_part("file", bytes(1000), "t")), max_bytes=1000)
    assert len(written) == 1000
    receiver = UploadReceiver(CONTENT_TYPE, io.BytesIO(), 1000)
    with pytest.raises(TooLarge) as refusal:
        receiver.feed(_body(_part("file", bytes(1100), "t"))[:-20])
    assert refusal.value.code == "upload_too_large"


def test_many_fields_are_not_kept_however_large_a_file_may_be() -> None:
    receiver = UploadReceiver(CONTENT_TYPE, io.BytesIO(), 10**9)
    with pytest.raises(TooLarge) as refusal:
        for number in range(1000):
            receiver.feed(_part(f"field {number}", b"x" * 4000))
    assert refusal.value.code == "upload_too_large"
    assert "besides its file" in refusal.value.message


def test_what_is_not_the_file_is_limited_too() -> None:
    receiver = UploadReceiver(CONTENT_TYPE, io.BytesIO(), 10)
    receiver.feed(_body(_part("file", b"x", "t")))
    receiver.feed(bytes(2**19))
    with pytest.raises(TooLarge):
        receiver.feed(bytes(2**19))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_multipart"),
        (b"no boundary at all", "malformed_multipart"),
        (_part("file", b"x", "t"), "malformed_multipart"),
        (_body(_part("file", b"x", "t"))[:-6], "malformed_multipart"),
        (_body(b"--limit\r\nContent-Type: text/plain\r\n\r\nx\r\n"), "malformed_multipart"),
        (_body(_part("name", b"x")), "file_required"),
        (_body(_part("file", b"x", "t"), _part("file", b"y", "u")), "duplicate_field"),
        (_body(_part("name", b"x"), _part("name", b"y")), "duplicate_field"),
        (_body(_part("name", b"x" * (MAX_FIELD_BYTES + 1))), "field_too_long"),
    ],
)
def test_what_is_no_upload_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        _receive(body)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "text/csv"]
)
def test_a_body_that_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        UploadReceiver(content_type, io.BytesIO(), 10)
    assert refusal.value.code == "multipart_required"


def test_an_overlong_boundary_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        UploadReceiver("multipart/form-data; boundary=" + "b" * 10_000, io.BytesIO(), 10)
    assert refusal.value.code == "malformed_multipart"
