from __future__ import annotations

import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_client.wire.datasets import MISSING, Delimiter
from domain.datasets.reading.delimited import reading as csv_reading
from domain.datasets.reading.delimited.layout import DELIMITERS as ALL_DELIMITERS
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import TableLimits
from infra.errors import InvalidRequest, TooLarge
from tests.support.uploads import csv_file, take_in

DELIMITERS = [delimiter for delimiter in ALL_DELIMITERS if delimiter != " "]

INTEGERS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
FRACTIONS = st.floats(-1e6, 1e6).filter(lambda number: not number.is_integer())
# What reads as itself: no byte order mark, and no carriage return (Python's writer quotes it, and readers may make it a
# line feed).
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), min_size=1, max_size=12).map(
    lambda text: f"t{text}"
)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "integer": INTEGERS,
    "number": NUMBERS,
    "boolean": st.booleans(),
    "category": TEXTS,
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    """Types of columns, and rows of cells of these types, of which some are missing but none of a whole column."""
    types = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=2, max_size=5))
    # A column of floats that are all whole is one of integers.
    complete = draw(st.tuples(*(FRACTIONS if each == "number" else COLUMNS[each] for each in types)))
    others = draw(st.lists(st.tuples(*(st.none() | COLUMNS[each] for each in types)), max_size=20))
    rows = [list(complete), *(list(row) for row in others)]
    return types, draw(st.permutations(rows))


@settings(deadline=None, max_examples=150)
@given(table=tables(), delimiter=st.sampled_from(DELIMITERS), with_mark=st.booleans())
def test_a_table_comes_back_as_it_was(
    table: tuple[list[str], list[list[Any]]], delimiter: Delimiter, with_mark: bool
) -> None:
    types, rows = table
    names = [f"name {position}" for position in range(len(types))]
    content = ("\ufeff" if with_mark else "") + csv_file(names, rows, delimiter)
    taken = take_in("t.csv", content, ReadingOptions(delimiter=delimiter))
    assert taken.names == names
    assert taken.types == types
    assert taken.rows == rows
    assert [column.missing for column in taken.columns] == [
        sum(cell is None for cell in cells) for cells in zip(*rows, strict=True)
    ]


@settings(deadline=None, max_examples=60)
@given(
    cells=st.lists(st.sampled_from(["1", "-2", "2.5", "true", "x", "007", "0x1F", "", "NA", " 3", "1e400", "9" * 20]))
)
def test_the_type_depends_on_the_cells_and_not_on_their_order_or_blocks(cells: list[str]) -> None:
    content = "c,n\n" + "".join(f"{cell},1\n" for cell in cells) + "8,1\n"
    shuffled = random.Random(0).sample(cells, len(cells))  # noqa: S311
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reading, "_block_size", lambda _: 64)
        other = "c,n\n8,1\n" + "".join(f"{cell},1\n" for cell in shuffled)
        if "1e400" in cells and not {"true", "x", "007", "0x1F"} & set(cells):
            for each in (content, other):
                with pytest.raises(InvalidRequest) as refusal:
                    take_in("t.csv", each)
                assert refusal.value.code == "infinite_number"
            return
        small_blocks = take_in("t.csv", other)
    assert small_blocks.columns[0].type == take_in("t.csv", content).columns[0].type


@pytest.mark.parametrize(
    ("last", "expected"), [("x", "text"), ("0.5", "number"), ("9223372036854775808", "number"), ("", "integer")]
)
def test_a_cell_after_a_hundred_thousand_decides_as_well(last: str, expected: str) -> None:
    content = "n,k\n" + "".join(f"{row},0\n" for row in range(100_000)) + f"{last},0\n"
    column = take_in("t.csv", content).columns[0]
    assert column.type == expected
    assert column.missing == (last == "")


@pytest.mark.parametrize(
    ("cells", "expected_type", "expected"),
    [
        (["1", "+2.0", ".5"], "number", [1.0, 2.0, 0.5]),
        (["1", " 2", "3 "], "integer", [1, 2, 3]),
        (["1.5", " NA", "  "], "number", [1.5, None, None]),
        (["true", " FALSE"], "boolean", [True, False]),
        (["007", "1"], "category", ["007", "1"]),
        (["-01", "0.5"], "category", ["-01", "0.5"]),
        (["0x1F", "2"], "category", ["0x1F", "2"]),
        (["0", "-0", "0.0"], "integer", [0, 0, 0]),
        (["99999999999999999999", "1"], "number", [1e20, 1.0]),
        (["true", "1"], "category", ["true", "1"]),
        ([" a", "a "], "category", [" a", "a "]),
        (["inf", "b"], "category", ["inf", "b"]),
        (["", "NaN"], "number", [None, None]),
    ],
)
def test_what_cells_are_taken_for(cells: list[str], expected_type: str, expected: list[Any]) -> None:
    taken = take_in("t.csv", "c,n\n" + "".join(f"{cell},1\n" for cell in cells))
    assert taken.columns[0].type == expected_type
    assert [row[0] for row in taken.rows] == expected


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(("present", "expected"), [("5", 5), ("2.5", 2.5), ("true", True), ("word", "word")])
def test_what_stands_for_a_missing_value_does_so_in_every_type(missing: str, present: str, expected: object) -> None:
    taken = take_in("t.csv", f"c,n\n{missing},1\n{present},2\n")
    assert [row[0] for row in taken.rows] == [None, expected]


@pytest.mark.parametrize(
    ("content", "names", "rows"),
    [
        ("a,b\n1,2\n", ["a", "b"], [[1, 2]]),
        ("a,2\n1,2\nb,3\n", ["column_1", "column_2"], [["a", 2], ["1", 2], ["b", 3]]),
        ("1.5,2\n", ["column_1", "column_2"], [[1.5, 2]]),
        ("\n\na,b\n\n1,2\n\n", ["a", "b"], [[1, 2]]),
        ('"a\nb",c\n"x, ""y""\n\nz",2\n', ["a\nb", "c"], [['x, "y"\n\nz', 2]]),
        (",b\n1,2\n", ["column_1", "b"], [[1, 2]]),
        (" a , b\n1,2\n", ["a", "b"], [[1, 2]]),
        ("a\n1\n2\n", ["a"], [[1], [2]]),
        ("a,b\r\n1,2\r\n", ["a", "b"], [[1, 2]]),
        ("a,b\n1,2", ["a", "b"], [[1, 2]]),
    ],
)
def test_names_come_from_the_first_row_unless_it_has_a_number(
    content: str, names: list[str], rows: list[list[object]]
) -> None:
    taken = take_in("t.csv", content)
    assert (taken.names, taken.rows) == (names, rows)


def test_the_client_may_say_what_the_first_row_is() -> None:
    assert take_in("t.csv", "a,b\nc,d\n", ReadingOptions(header=False)).rows == [["a", "b"], ["c", "d"]]
    assert take_in("t.csv", "1,2\n3,4\n", ReadingOptions(header=True)).names == ["1", "2"]


@pytest.mark.parametrize("blank", [0, 1, 18, 19])
def test_blank_lines_before_the_header_hide_nothing(blank: int) -> None:
    assert take_in("t.csv", "\n" * blank + "a,b\n1,2\n").rows == [[1, 2]]


def test_a_first_cell_longer_than_the_samples_reader_takes_is_read() -> None:
    with pytest.raises(InvalidRequest, match="Row 1, column 'b'"):
        take_in("t.csv", f"a,b\n1,{'x' * 140_000}\n")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [[1, "a, b; c | d"], [2, "e"], [3, "f; g"]]
    assert take_in("t.csv", csv_file(["n", "words"], rows, delimiter)).rows == rows


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "empty_file", "empty"),
        (b"\n\n", "empty_file", "no rows"),
        (b"a,b\n", "no_rows", "no rows"),
        (b"a,b", "no_rows", "no rows"),
        (b"\n\na,b", "no_rows", "no rows"),
        (b"a,b\n1,2\n\n3\n4,5\n", "ragged_row", "Row 2 has 1 cells, and the first has 2"),
        (b"1,2\n3,4,5\n", "ragged_row", "Row 2 has 3 cells"),
        ("ä,b\n1,2\n3,".encode() + b"\xff\n", "not_utf8", "Line 3"),
        (b"a,b\n1,\x81\n", "not_utf8", "Line 2"),
        (b"\x89PNG\0\0\x01", "not_text", "not text"),
        (b"a,b,a\n1,2,3\n", "duplicate_column", "'a'"),
        (b"column_2,\n1,2\n", "duplicate_column", "'column_2'"),
        (b"a,b\n1,2\n3,-inf\n", "infinite_number", "Row 2, column 'b'"),
        (b"a,b\n1,2\n3,1e999\n", "infinite_number", "Row 2, column 'b'"),
        (b"a,b\n1," + b"x" * 40_000 + b"\n", "text_too_long", "Row 1, column 'b'"),
        (b'a,b\n1,"' + b"x\n" * 5_000_000, "row_too_long", "quote"),
    ],
)
def test_what_is_no_table_is_refused_and_the_place_is_named(content: bytes, code: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", content)
    assert refusal.value.code == code
    assert says in refusal.value.message
    assert refusal.value.fields[0].path == "/file"


def test_a_ragged_row_is_named_in_whatever_block_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reading, "_block_size", lambda _: 100)
    rows = "".join(f"{row},0\n" for row in range(1, 1000))
    with pytest.raises(InvalidRequest, match=r"Row 1,000 has 3 cells"):
        take_in("t.csv", f"a,b\n{rows}1,2,3\n4,5\n")


def test_an_infinite_number_is_named_in_whatever_block_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reading, "_block_size", lambda _: 100)
    rows = "".join(f"{row}.5,0\n" for row in range(1, 1000))
    with pytest.raises(InvalidRequest, match=r"Row 1,000, column 'a'"):
        take_in("t.csv", f"a,b\n{rows}inf,2\n")


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (TableLimits(rows=10, columns=1, cells=100), "too_many_columns"),
        (TableLimits(rows=2, columns=2, cells=100), "too_many_rows"),
        (TableLimits(rows=10, columns=2, cells=5), "too_many_cells"),
    ],
)
def test_a_table_beyond_the_limits_is_refused(limits: TableLimits, code: str) -> None:
    with pytest.raises(TooLarge) as refusal:
        take_in("t.csv", "a,b\n1,2\n3,4\n5,6\n", limits=limits)
    assert refusal.value.code == code


def test_a_table_at_the_limits_is_taken() -> None:
    assert len(take_in("t.csv", "a,b\n1,2\n3,4\n", limits=TableLimits(rows=2, columns=2, cells=4)).rows) == 2


def test_ten_thousand_columns_are_taken() -> None:
    width = 10_000
    taken = take_in("t.csv", csv_file([f"c{each}" for each in range(width)], [list(range(width))] * 3))
    assert taken.rows == [list(range(width))] * 3


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=200) | st.text('",;\n\r\t|ab1. \ufeff', max_size=60).map(str.encode))
def test_any_bytes_are_taken_or_refused(content: bytes) -> None:
    try:
        taken = take_in("t.csv", content)
    except (InvalidRequest, TooLarge):
        return
    assert taken.rows
    assert all(not isinstance(cell, float) or math.isfinite(cell) for row in taken.rows for cell in row)


def test_a_name_of_digits_is_told_from_a_number_in_linear_time() -> None:
    """A pattern that tries every place to cut a million digits would take hours, and hold the interpreter with it."""
    program = (
        "from domain.datasets.reading.delimited.cells import number_in; print(number_in('1' * 1_000_000 + 'x', '.'))"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "None\n", ended.stderr
    taken = take_in("t.csv", b"1" * 10_000 + b"x,b\n1,2\n")
    assert taken.rows == [[1, 2]]
