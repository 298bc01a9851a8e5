"""Bodies are read as what they say, and whatever else they are is refused: no other error, no large memory."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backprop_client.wire.oip.datatypes import BYTES_PER_ELEMENT, Datatype
from domain.inference.json_tensors import DataDoesNotFit, from_json
from domain.inference.json_text import HAS_SIMDJSON, NotJson, parsed
from domain.inference.requests import Limits, ReadRequest, read_request
from infra.errors import InvalidRequest, TooLarge
from tests.support.measured import UNTIMED

LIMITS = Limits(rows=1000, containers=20_000)
INTEGERS: list[Datatype] = [datatype for datatype in BYTES_PER_ELEMENT if "INT" in datatype]


def read(said: dict[str, Any], binary: bytes = b"", length: int | None = None) -> ReadRequest:
    text = json.dumps(said).encode()
    return read_request(text + binary, len(text) if length is None and binary else length, LIMITS)


def tensor(**fields: object) -> dict[str, Any]:
    return {"inputs": [{"name": "x", "shape": [2], "datatype": "FP64", "data": [1, 2]} | fields]}


def binary_tensor(size: object, **fields: object) -> dict[str, Any]:
    return {
        "inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": size}} | fields]
    }


def refusal(said: dict[str, Any], binary: bytes = b"", length: int | None = None) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        read(said, binary, length)
    return refused.value


def test_unknown_keys_pass_and_what_is_known_is_kept() -> None:
    said = tensor(parameters={"content_type": "np", "more": {"deep": [1]}}, extra=1)
    more = {"id": "7", "model_name": "m", "parameters": {"content_type": "pd"}, "outputs": [{"name": "scores", "x": 1}]}
    request = read(said | more)
    assert request.said.id == "7"
    assert [output.name for output in request.said.outputs] == ["scores"]
    assert request.tensors[0].values.tolist() == [1.0, 2.0]
    assert read(said | {"outputs": None, "parameters": None}).said.outputs == []


def test_json_and_binary_tensors_may_be_mixed() -> None:
    inputs = [*binary_tensor(8)["inputs"], *tensor(name="y", shape=[1, 2])["inputs"], *binary_tensor(5)["inputs"]]
    inputs[2] |= {"datatype": "BYTES", "name": "z"}
    request = read({"inputs": inputs}, np.float64(3).tobytes() + b"\1\0\0\0q")
    assert [each.values.tolist() for each in request.tensors] == [[3.0], [1.0, 2.0], ["q"]]


@UNTIMED
@given(st.lists(st.lists(st.integers(0, 100), min_size=3, max_size=3), max_size=4), st.sampled_from(INTEGERS))
def test_nested_and_flat_data_are_the_same(rows: list[list[int]], datatype: Datatype) -> None:
    flat = [value for row in rows for value in row]
    shape = (len(rows), 3)
    nested = from_json(rows, shape, datatype)
    assert nested.tolist() == from_json(flat, shape, datatype).tolist() == flat
    assert from_json([float(value) for value in flat], shape, datatype).tolist() == flat
    assert nested.dtype == from_json(list(map(float, flat)), shape, datatype).dtype


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just("x")
)
NUMBERS = st.integers(-(2**53), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
DATA = st.one_of(
    st.lists(NUMBERS, max_size=4),
    st.lists(st.lists(NUMBERS, max_size=3), max_size=4),
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)


@UNTIMED
@given(DATA, st.sampled_from(["FP16", "FP32", "FP64", "INT64"]), st.lists(st.integers(0, 4), min_size=1, max_size=2))
def test_long_texts_are_read_as_short_ones(data: object, datatype: Datatype, shape: list[int]) -> None:
    """The one way and the other: the same bits, or the same refusal."""
    said = {"outputs": [{"name": "x"}], **tensor(data=data, datatype=datatype, shape=shape)}
    ends: list[tuple[bytes, str]] = []
    for padding in ("", "x" * 5000, "[" + "x" * 5000):
        text = json.dumps(said | {"padding": padding}).encode()
        try:
            (only,) = read_request(text, None, LIMITS).tensors
            ends.append((only.values.tobytes(), str(only.values.dtype)))
        except InvalidRequest as refused:
            ends.append((b"", refused.message))
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.skipif(not HAS_SIMDJSON, reason="simdjson is not installed")
def test_long_texts_of_floating_numbers_take_the_short_way() -> None:
    rows = [[0.5 * row, 1] for row in range(800)]
    for data in (rows, [value for row in rows for value in row]):
        said = parsed(orjson.dumps(tensor(data=data, shape=[800, 2])))
        assert said["inputs"][0]["data"].values.tolist() == [value for row in rows for value in row]


@UNTIMED
@given(st.integers(-(2**64), 2**65), st.sampled_from(INTEGERS))
def test_integers_fit_into_their_type_or_are_refused(value: int, datatype: Datatype) -> None:
    (parsed,) = orjson.loads(str([value]))  # what is beyond 64 bits is a float there
    bounds = np.iinfo(datatype.lower())
    for data in ([parsed], [parsed, None]):
        if bounds.min <= parsed <= bounds.max:
            assert from_json(data, (len(data),), datatype)[0] == parsed
        else:
            with pytest.raises(DataDoesNotFit, match="too large"):
                from_json(data, (len(data),), datatype)


@pytest.mark.parametrize(
    ("data", "shape", "datatype", "reason"),
    [
        (None, (1,), "FP64", "has no data"),
        ({}, (0,), "FP64", "has no data"),
        ([1], (2,), "FP64", "1 elements of data"),
        ([[1, 2], [3]], (2, 2), "FP64", "not all rows"),
        ([[1, 2, 3, 4]], (2, 2), "FP64", "its data 1 rows"),
        ([1, [2]], (2,), "FP64", "an array in its data"),
        ([[[1]]], (1, 1), "FP64", "an array in its data"),
        (["1"], (1,), "FP64", "a text in its data"),
        ([True], (1,), "INT64", "a boolean in its data"),
        ([{}], (1,), "BYTES", "an object in its data"),
        ([2], (1,), "BOOL", "besides 0 and 1"),
        ([0.5], (1,), "INT8", "not whole"),
        ([1e5], (1,), "FP16", "too large"),
        ([1e39], (1,), "FP32", "too large"),
    ],
)
def test_data_that_is_not_what_it_is_said_to_be(
    data: object, shape: tuple[int, ...], datatype: Datatype, reason: str
) -> None:
    with pytest.raises(DataDoesNotFit, match=reason):
        from_json(data, shape, datatype)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b'{"inputs": NaN}', b"\xff", b'{"inputs": []}x'])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        read_request(body, None, LIMITS)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"inputs": []},
        {"inputs": {}},
        {"inputs": [1]},
        tensor(shape=[]),
        tensor(shape=[-1]),
        tensor(shape=[2.5]),
        tensor(shape=[True]),
        tensor(shape=[2**62, 2**62]),
        tensor(shape=[1] * 100),
        tensor(shape="2"),
        tensor(datatype="FP8"),
        tensor(datatype=None),
        tensor(name=1),
        tensor(parameters=[]),
        tensor() | {"outputs": [{}]},
        tensor() | {"outputs": 1},
        tensor() | {"id": 7},
        tensor() | {"parameters": {"unknown_categories": "guess"}},
        binary_tensor(-8),
        binary_tensor("8"),
        binary_tensor(1e3),
        binary_tensor(True),
    ],
)
def test_json_that_is_no_request(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(said)


def test_a_body_that_is_no_object() -> None:
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        read_request(b"[]", None, LIMITS)


@pytest.mark.parametrize(
    ("said", "binary", "reason"),
    [
        (binary_tensor(8), b"1234567", "7 are left behind the JSON"),
        (binary_tensor(8), b"123456789", "leaves 1 bytes after the JSON"),
        (binary_tensor(8, shape=[2]), b"12345678", "which are 16 bytes, and not 8"),
        (binary_tensor(8, shape=[1000, 2**31 - 1]), b"12345678", "and not 8"),
        (binary_tensor(8, shape=[1000, 2**31 - 1], datatype="BYTES"), b"12345678", "do not even hold their lengths"),
        (binary_tensor(2**62), b"12345678", "8 are left behind the JSON"),
        (binary_tensor(8, data=[1.0]), b"12345678", "both data and a binary_data_size"),
        (tensor(), b"12345678", "leaves 8 bytes after the JSON"),
        (tensor(data=None, parameters={"shared_memory_region": "r"}), b"", "has no data"),
    ],
)
def test_binary_data_that_is_not_as_long_as_is_said(said: dict[str, Any], binary: bytes, reason: str) -> None:
    assert reason in refusal(said, binary).message


def test_a_header_that_lies() -> None:
    text = json.dumps(tensor()).encode()
    with pytest.raises(InvalidRequest, match=f"and the body has {len(text)}"):
        read_request(text, len(text) + 1, LIMITS)
    with pytest.raises(NotJson):
        read_request(text, len(text) - 1, LIMITS)


def test_more_than_a_request_may_have() -> None:
    for said, code in (
        (tensor(shape=[1001, 1]), "too_many_rows"),
        ({"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}] * 10**5}, "too_many_values"),
        (tensor(data=[[]] * 30_000), "too_many_values"),
    ):
        with pytest.raises(TooLarge) as refused:
            read(said)
        assert refused.value.code == code


def test_a_small_body_never_becomes_a_large_one() -> None:
    """One long text among many short ones would be an array of long texts, and shapes may claim anything."""
    bodies = [
        orjson.dumps(tensor(shape=[1000, 1], datatype=datatype, data=["x" * 10**6, *[""] * 999]))
        for datatype in ("BYTES", "FP64", "BOOL")
    ]
    bodies.append(orjson.dumps(tensor(shape=[1000, 2**31 - 1])))
    bodies.append(orjson.dumps({"inputs": [1] * 10**6}))
    for body in bodies:
        tracemalloc.start()
        try:
            read_request(body, None, LIMITS)
        except (InvalidRequest, ValidationError):
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 20 * len(body) + 2**20  # orjson takes 12 for itself while it reads
