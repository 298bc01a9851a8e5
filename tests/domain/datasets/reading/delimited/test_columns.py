"""What whole columns of a file of text are read as."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.datasets.reading.delimited import reading as csv_reading
from domain.datasets.reading.options import ReadingOptions
from infra.errors import InvalidRequest
from tests.support.uploads import TakenIn, take_in


def column_of(cells: list[str], delimiter: str = ";", options: ReadingOptions | None = None) -> TakenIn:
    """A file with these cells, and a column of words beside them."""
    rows = "".join(f"{cell}{delimiter}w{row}\n" for row, cell in enumerate(cells))
    return take_in("t.csv", f"c{delimiter}n\n{rows}", options or ReadingOptions())


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1 234", "5 678 901"], "integer", [1234, 5678901]),
        (["1\u00a0234", "5\u202f678"], "integer", [1234, 5678]),
        (["1'234", "1’234.5"], "number", [1234, 1234.5]),
        (["1.234,5", "2,5"], "number", [1234.5, 2.5]),
        (["+1", "\u22122", "3"], "integer", [1, -2, 3]),
        (["$5.50", "-$6.50", "$ 7"], "number", [5.5, -6.5, 7]),
        (["5,50 €", "6,50€"], "number", [5.5, 6.5]),
        (["12%", "12.3 %", "-5%"], "number", [0.12, 0.123, -0.05]),
        (["12%", "0.5"], "category", ["12%", "0.5"]),
        (["$5", "5"], "category", ["$5", "5"]),
        (["$5", "€5"], "category", ["$5", "€5"]),
        (["12,34,567", "1"], "category", ["12,34,567", "1"]),
        (["\u00a05", " 6\u202f"], "integer", [5, 6]),
        (["true", "?", "-"], "boolean", [True, None, None]),
        (["?", "-"], "category", ["?", "-"]),
        (["?", ""], "category", ["?", None]),
        (["", "NA"], "number", [None, None]),
        (["  ", "1"], "integer", [None, 1]),
        (["1.5", "None", "\\N", "#DIV/0!", "nil", "NaT"], "number", [1.5, *[None] * 5]),
        (["none", "x"], "category", ["none", "x"]),
        (["2020-01-31", "2020-02"], "datetime", ["2020-01-31", "2020-02-01"]),
        (["2020-01-31", "2020-01-31 12:30"], "datetime", ["2020-01-31T00:00:00Z", "2020-01-31T12:30:00Z"]),
        (["2020-01-31T12:30:05.1234567Z"], "datetime", ["2020-01-31T12:30:05.123456Z"]),
        (["2020-01-31T23:30-01:00", "NA", "missing"], "datetime", ["2020-02-01T00:30:00Z", None, None]),
        (["12:30", "00:00:05.5"], "datetime", ["12:30:00", "00:00:05.500000"]),
        (["2020-01-31T12:30Z", "2020-01-31"], "category", ["2020-01-31T12:30Z", "2020-01-31"]),
        (["12:30", "2020-01-31"], "category", ["12:30", "2020-01-31"]),
        (["2020-02-30", "2020-02-28"], "category", ["2020-02-30", "2020-02-28"]),
        (["1.0", "2.0"], "integer", [1, 2]),
        (["1e3", "2.0"], "integer", [1000, 2]),
        (["9007199254740994.0", "2.0"], "number", [9007199254740994.0, 2.0]),
    ],
)
def test_what_cells_are_taken_for(cells: list[str], kind: str, values: list[Any]) -> None:
    taken = column_of(cells, "\t")
    assert (taken.types[0], [row[0] for row in taken.rows]) == (kind, values)


CELLS = [
    *(
        "1",
        "-2",
        "2.5",
        "1,234",
        "1.234",
        "2,5",
        "1 234",
        "5%",
        "$5",
        "true",
        "x",
        "007",
        "",
        "NA",
        "?",
        " 3",
        "+4",
        "  ",
    ),
    *("2020-01-31", "2020-01-31T12:30Z", "2020-01-31 01:00", "12:30", "inf"),
]


@settings(deadline=None, max_examples=200)
@given(
    cells=st.lists(st.sampled_from(CELLS), min_size=1, max_size=5),
    many=st.integers(1, 3),
    delimiter=st.sampled_from([";", "\t"]),
)
def test_what_a_column_is_depends_on_its_cells_and_not_on_their_order_or_blocks(
    cells: list[str], many: int, delimiter: str
) -> None:
    def outcome(cells: list[str]) -> object:
        try:
            taken = column_of(cells, delimiter)
        except InvalidRequest as refusal:
            return refusal.code
        return taken.types[0], taken.read_as, sorted(str(row[0]) for row in taken.rows), len(taken.remarks)

    cells = cells * many
    shuffled = random.Random(0).sample(cells, len(cells))  # noqa: S311
    whole = outcome(cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reading, "_block_size", lambda _: 40)
        in_blocks = outcome(shuffled)
    # What a column of strings looks like is told by its first cells.
    is_of_strings = isinstance(whole, tuple) and whole[0] == "category"
    assert (in_blocks[:3] if is_of_strings else in_blocks) == (whole[:3] if is_of_strings else whole)  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "decimal", "rows", "remarked"),
    [
        ("a;b\n1,234;x\n5,678;y\n", ",", [[1.234, "x"], [5.678, "y"]], ["a"]),
        ("a\tb\n1,234\tx\n5,678\ty\n", ".", [[1234, "x"], [5678, "y"]], ["a"]),
        ("a;b\n1.234;x\n5.678;y\n", ".", [[1.234, "x"], [5.678, "y"]], ["a"]),
        ("a;b\n1,234;0,5\n5,678;1,5\n", ",", [[1.234, 0.5], [5.678, 1.5]], []),
        ("a;b\n1.234;0,5\n5.678;1,5\n", ",", [[1234, 0.5], [5678, 1.5]], []),
        ("a;b\n1,234;0.5\n5,678;1.5\n", ".", [[1234, 0.5], [5678, 1.5]], []),
        ("a;b\n1;2\n3;4\n", ".", [[1, 2], [3, 4]], []),
        ("a;b;c\n1,5;0.5;2,25\n2,5;0.75;3,5\n", ",", [[1.5, 0.5, 2.25], [2.5, 0.75, 3.5]], ["b"]),
        ('a,b\n"1,234",x\n"5,678",y\n', ".", [[1234, "x"], [5678, "y"]], []),
    ],
)
def test_the_decimal_sign_is_the_file_s(
    content: str, decimal: str, rows: list[list[object]], remarked: list[str]
) -> None:
    taken = take_in("t.csv", content)
    assert (taken.read_as.decimal, taken.rows) == (decimal, rows)
    assert [remark.column for remark in taken.remarks] == remarked


def test_a_decimal_sign_that_is_told_is_believed() -> None:
    assert take_in("t.csv", 'a,b\n"1,5",x\n', ReadingOptions(decimal=",")).rows == [[1.5, "x"]]
    assert take_in("t.csv", "a;b\n1,234;x\n", ReadingOptions(decimal=".")).rows == [[1234, "x"]]
    assert take_in("t.csv", "a;b\n1,5;x\n", ReadingOptions(decimal=".")).rows == [["1,5", "x"]]


def test_the_words_that_were_taken_for_missing_are_remarked() -> None:
    rows = [str(row) for row in range(500)]
    rows[7] = rows[8] = "?"
    rows[300] = "-"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reading, "_block_size", lambda _: 500)
        taken = column_of(rows)
    assert (taken.types[0], taken.columns[0].missing) == ("integer", 3)
    assert {(remark.column, remark.message) for remark in taken.remarks} == {
        ("c", "2 cells were taken for missing: '?', first in row 8."),
        ("c", "1 cell was taken for missing: '-', first in row 301."),
    }


@pytest.mark.parametrize("block", [120, 2**20])
def test_of_a_column_of_strings_that_is_mostly_numbers_the_odd_cells_are_named(block: int) -> None:
    cells = [f"{row}.5" for row in range(100)]
    for row in (3, 40, 50, 60, 70, 80):
        cells[row] = f"about {row}" + "!" * 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_reading, "_block_size", lambda _: block)
        (remark,) = column_of(cells, ",").remarks
    assert remark.column == "c"
    assert "94 of the 100 values are numbers" in remark.message
    assert "row 4 'about 3!" in remark.message
    assert "row 71" in remark.message
    assert "row 81" not in remark.message
    assert len(remark.message) < 600


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["5%", "0.5", "6%"], ["All values are numbers", "row 1 '5%'", "row 2 '0.5'"]),
        (["2020-01-01", "2020-01-02T12:00Z"], ["All values are dates or times", "row 1", "row 2"]),
        (["2020-01-01", "soon", "2020-01-02"], ["2 of the 3 values are dates or times", "row 2 'soon'"]),
        (["12:30", "2020-01-02"], ["All values are dates or times"]),
    ],
)
def test_of_values_that_do_not_go_together_the_first_of_each_kind_are_named(cells: list[str], says: list[str]) -> None:
    (remark,) = column_of(cells, ",").remarks
    assert all(each in remark.message for each in says), remark.message


@pytest.mark.parametrize("cells", [["x", "y", "1"], ["2020 a", "b"], ["1", "2"], ["x", "?"]])
def test_a_column_that_is_as_it_seems_has_no_remark(cells: list[str]) -> None:
    assert column_of(cells).remarks == ()
