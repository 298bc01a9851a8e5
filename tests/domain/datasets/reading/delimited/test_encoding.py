from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.datasets.reading import content as content_reading
from domain.datasets.reading.options import ReadingOptions
from infra.errors import InvalidRequest
from tests.support.uploads import take_in

WORDS = "größe,wort\n1,Übung\n2,Maß\n3,€\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (WORDS.encode(), "utf-8"),
        (codecs.BOM_UTF8 + WORDS.encode(), "utf-8"),
        (WORDS.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"), "utf-16"),
        (WORDS.encode("utf-16-le"), "utf-16"),
        (WORDS.encode("utf-16-be"), "utf-16"),
        (WORDS.encode("cp1252"), "windows-1252"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 2**20])
def test_the_encoding_is_found(content: bytes, encoding: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_reading, "PIECE_BYTES", piece)
    taken = take_in("t.csv", content)
    assert taken.names == ["größe", "wort"]
    assert [row[1] for row in taken.rows] == ["Übung", "Maß", "€"]
    assert taken.read_as.encoding == encoding


def test_of_windows_1252_a_remark_says_where_it_differs() -> None:
    (remark,) = take_in("t.csv", "a,b\n1,x\n2,é\n".encode("cp1252")).remarks
    assert remark.column is None
    assert "Windows-1252" in remark.message
    assert "line 3" in remark.message
    assert take_in("t.csv", WORDS).remarks == ()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1251", "shift_jis", "utf-32", "utf-16-be", "utf-8-sig"])
def test_an_encoding_that_is_told_is_believed(encoding: str) -> None:
    word = {"latin-1": "\u0080é", "cp1251": "Привет", "shift_jis": "日本"}.get(encoding, "π")
    taken = take_in("t.csv", f"a,b\n1,{word}\n".encode(encoding), ReadingOptions(encoding=encoding))
    assert taken.rows == [[1, word]]
    assert taken.remarks == ()


@pytest.mark.parametrize(
    ("content", "encoding", "place"),
    [
        ("ä,b\n1,é\n".encode() + b"2,\xff\n", None, "Line 3"),
        (b"a,b\n1,\xe9\n", "utf-8", "Line 2"),
        (b"a,b\n1,\x81\n", None, "Line 2"),
        (b"a,b\n1,\xff\xff\n", "shift_jis", "The file"),
        (b"\xff\xfea\0,\0b\0\n\0\0\xd8\n\0", None, "The file"),
    ],
)
def test_what_is_not_in_its_encoding_is_refused(content: bytes, encoding: str | None, place: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", content, ReadingOptions(encoding=encoding))
    assert refusal.value.code == "not_utf8"
    assert place in refusal.value.message


def test_a_file_of_nothing_but_byte_order_marks_is_empty() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", codecs.BOM_UTF8 * 2)
    assert refusal.value.code == "empty_file"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_json_may_be_utf_16_as_well(encoding: str) -> None:
    assert take_in("t.json", '[{"ä": "€"}]'.encode(encoding)).rows == [["€"]]


def test_json_may_be_in_the_encoding_that_is_told() -> None:
    taken = take_in("t.json", '[{"ä": "é"}]'.encode("cp1252"), ReadingOptions(encoding="cp1252"))
    assert (taken.names, taken.rows, taken.read_as.encoding) == (["ä"], [["é"]], "windows-1252")


@settings(deadline=None, max_examples=60)
@given(
    content=st.binary(max_size=60), encoding=st.sampled_from(["utf-16", "utf-7", "shift_jis", "unicode_escape", "idna"])
)
@pytest.mark.filterwarnings("ignore:.*invalid.*escape:DeprecationWarning")
def test_any_bytes_are_taken_or_refused_in_any_encoding(content: bytes, encoding: str) -> None:
    try:
        take_in("t.csv", content + b"\n", ReadingOptions(encoding=encoding))
    except InvalidRequest:
        return


def test_nothing_is_left_of_what_has_been_rewritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    content = content_reading.Content.of(tmp_path / "file")
    assert content is not None
    other = content.rewritten([b"a", b"b"])
    assert other is not None
    assert other.data[:] == b"ab"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
