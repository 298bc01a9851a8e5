"""The rows of a body: what comes out does not tell which way the body was read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from backprop_client.wire.models import PredictionRequest
from domain.models import json_rows
from domain.models.json_rows import requested_rows

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1)
)
VALUES = st.recursive(
    NUMBERS | st.none() | st.booleans() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(TABLES)
@example([[-0.0, 0, -1], [1e-320, 1.7976931348623157e308, 2**53 + 1]])
def test_numbers_are_the_doubles_that_python_reads(rows: list[list[Any]]) -> None:
    read = requested_rows(json.dumps({"rows": rows}).encode())
    expected = np.array([[float(value) for value in row] for row in rows])
    assert read.count == len(rows)
    np.testing.assert_array_equal(np.array([[float(value) for value in row] for row in read.as_sent()]), expected)
    if not json_rows.HAS_SIMDJSON:
        assert read.numbers is None
    elif read.numbers is None:  # the quick way takes integers of 64 bits
        assert any(isinstance(value, int) and not -(2**63) <= value < 2**64 for row in rows for value in row)
    else:
        assert read.numbers.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "text",
    [
        '{"rows":[[1,[2]],[3,4]]}',
        '{"rows":[[[1,2]],[[3,4]]]}',
        '{"rows":[[1,true]]}',
        '{"rows":[[1,null]]}',
        '{"rows":[[1,NaN]]}',
        '{"rows":[[1],[1,2]]}',
        '{"rows":[[]]}',
        '{"rows":[[1,"2"]]}',
        '{"rows":[[1]],"rows":[[2]]}',
        '{"rows":[[1]],"unknown_categories":"as_missing"}',
        '{"r\\u006fws":[[1]],"rows":[[2,3]]}',
    ],
)
def test_what_is_no_table_of_numbers_comes_as_it_was(text: str) -> None:
    read = requested_rows(text.encode())
    assert read.numbers is None
    whole = json.loads(text)
    assert repr(read.as_sent()) == repr(whole["rows"])
    assert read.unknown_categories == whole.get("unknown_categories", "refuse")


@given(
    VALUES
    | st.fixed_dictionaries(
        {"rows": st.lists(VALUES, max_size=3) | VALUES}, optional={"unknown_categories": VALUES, "more": VALUES}
    )
)
def test_what_is_refused_is_what_the_model_of_the_request_refuses(request: Any) -> None:  # noqa: ANN401
    text = json.dumps(request).encode()

    def problems_of(read: Callable[[], object]) -> list[tuple[Any, str]]:
        try:
            read()
        except ValidationError as error:
            return [(each["loc"], each["msg"]) for each in error.errors()]
        return []

    expected = problems_of(lambda: PredictionRequest.model_validate(json.loads(text)))
    assert problems_of(lambda: requested_rows(text)) == expected


@pytest.mark.parametrize("body", [b"", b"{", b'{"rows":[[1]]} x', b'{"rows":[[1,]]}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_from_it(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)) as refused:
        requested_rows(body)
    assert not isinstance(refused.value, ValidationError)


def test_other_encodings_of_unicode_are_read() -> None:
    text = '{"rows":[{"é":"\\ud800"}]}'
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert requested_rows(text.encode(encoding)).as_sent() == [{"é": "\ud800"}]
