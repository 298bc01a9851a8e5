"""Binary tensors, against the serializers of Triton's own client."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tritonclient.utils import (
    deserialize_bytes_tensor,
    np_to_triton_dtype,
    serialize_byte_tensor,
    triton_to_np_dtype,
)

from backprop_client.wire.oip.datatypes import BYTES_PER_ELEMENT, Datatype
from domain.inference.binary_tensors import from_binary, to_binary
from domain.inference.json_tensors import DataDoesNotFit
from domain.models.tensors.tensor import DTYPES
from tests.support.measured import UNTIMED

NUMERIC: list[Datatype] = list(BYTES_PER_ELEMENT)
TEXTS = st.lists(st.text(max_size=12), max_size=20)


def read(raw: bytes, count: int, datatype: Datatype) -> np.ndarray[Any, Any]:
    return from_binary(memoryview(raw), count, datatype)


@pytest.mark.parametrize("datatype", NUMERIC)
def test_datatypes_are_those_of_triton_s_client(datatype: Datatype) -> None:
    assert np.dtype(triton_to_np_dtype(datatype)) == DTYPES[datatype]
    assert np_to_triton_dtype(DTYPES[datatype]) == datatype
    assert DTYPES[datatype].itemsize == BYTES_PER_ELEMENT[datatype]


@UNTIMED
@given(st.data(), st.sampled_from(NUMERIC), st.integers(0, 7))
def test_numbers_are_read_wherever_they_lie_and_written_as_they_were(
    data: st.DataObject, datatype: Datatype, offset: int
) -> None:
    values = data.draw(npst.arrays(DTYPES[datatype], npst.array_shapes(max_dims=2, min_side=0)))
    raw = values.tobytes()
    body = memoryview(b"x" * offset + raw)
    back = from_binary(body[offset:], values.size, datatype)
    assert back.dtype == values.dtype
    assert back.tobytes() == raw
    assert to_binary(back, datatype) == raw


@UNTIMED
@given(TEXTS)
def test_texts_are_as_triton_s_client_writes_and_reads_them(texts: list[str]) -> None:
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    theirs = serialize_byte_tensor(values)
    raw = theirs.item() if theirs.size else b""
    assert to_binary(values, "BYTES") == raw
    assert read(raw, len(texts), "BYTES").tolist() == texts
    assert [each.decode() for each in deserialize_bytes_tensor(raw)] == texts


@UNTIMED
@given(TEXTS.filter(bool), st.data())
def test_texts_that_are_cut_or_counted_wrongly_are_refused(texts: list[str], data: st.DataObject) -> None:
    raw = to_binary(np.array([*texts, None], dtype=object)[:-1], "BYTES")
    end = data.draw(st.integers(0, len(raw) - 1))
    wrong_count = data.draw(st.integers(0, 40).filter(lambda count: count != len(texts)))
    for content, count in ((raw[:end], len(texts)), (raw, wrong_count), (raw + b"\0", len(texts))):
        with pytest.raises(DataDoesNotFit):
            read(content, count, "BYTES")


@UNTIMED
@given(st.binary(max_size=64), st.integers(0, 2**62), st.sampled_from([*NUMERIC, "BYTES"]))
def test_any_bytes_are_as_many_elements_as_are_said_or_refused(raw: bytes, count: int, datatype: Datatype) -> None:
    try:
        values = read(raw, count, datatype)
    except DataDoesNotFit:
        return
    assert len(values) == count
    assert to_binary(values, datatype) == raw


@pytest.mark.parametrize(
    ("raw", "count", "datatype", "reason"),
    [
        (b"\2", 1, "BOOL", "besides 0 and 1"),
        (b"\0" * 9, 1, "FP64", "8 bytes, and not 9"),
        (b"\xff\xff\xff\xffa", 1, "BYTES", "ends within element 0"),
        (b"\1\0\0\0\xff", 1, "BYTES", "not UTF-8"),
        (b"", 2**62, "BYTES", "do not even hold their lengths"),
    ],
)
def test_the_reason_is_told(raw: bytes, count: int, datatype: Datatype, reason: str) -> None:
    with pytest.raises(DataDoesNotFit, match=reason):
        read(raw, count, datatype)
