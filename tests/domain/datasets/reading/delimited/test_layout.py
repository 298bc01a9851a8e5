from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.datasets.reading.delimited.header import is_header
from domain.datasets.reading.options import ReadingOptions
from infra.errors import InvalidRequest
from tests.support.uploads import take_in


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("a,b|1,2", True),
        ("a,b|c,d", True),
        ("5.1,3.5|4.9,3.0", False),
        ("0,1,label|0.644,0.725,0|2.033,-1.382,1", True),  # a word above numbers
        ("150,4,setosa,virginica|5.1,3.5,1.4,0|4.9,3.0,1.4,0", True),
        ("1,5;2,5|3,5;4,5", False),
        ("?,2.5|1.5,2.5|3.5,4.5", False),  # a missing value, and no word
        ("1.5,?|1.5,2.5|3.5,4.5", False),
        ("NA,1|2,3|4,5", False),
        ("country,1990,1991|France,1.5,2.5|Spain,2.5,3.5", True),
        ("country,1990,1991|France,100,200|Spain,300,150", True),
        ("country,1990,1995,2000|France,a,b,c", True),
        ("country,1991,1992,1994|France,10,0,2|Spain,0,30,5", True),  # a year left out
        ("1900,1903|12,40|7,80", True),
        ("x,1850,1801,1990|y,10,20,30", False),  # years, but in no order
        ("1990,1991|1992,1993|1994,1995", False),  # years below, too
        ("0,1,2|0.5,1.5,2.5|3.5,1,2.5", True),
        ("1,2|x,y|z,y", True),
        ("0,1,2|4,1,3|5,6,8", False),  # whole numbers, as any row of them
        ("10,20|1.5,2.5|3.5,4.5", True),  # whole numbers above decimals only
        ("10,20|1.5,2|3.5,4.5", False),
        ("3|1.5|2.5", False),
        (",0,1|0,5,6|1,7,8", True),  # nothing above the numbers of the rows
        (",0,1|4,5,6|3,7,8", False),
        ("country,2020-01,2020-02|France,1,2", True),  # dates above numbers
        ("when,7|2020-01-01,x|2020-01-02,y", True),  # a word above dates
        ("2020-01-01,x|2020-01-02,y", False),
        ("007,x|008,y", False),
        ("x|1|2", True),
    ],
)
def test_which_first_row_names_the_columns(table: str, expected: bool) -> None:
    first, *rows = [line.split(";" if ";" in line else ",") for line in table.split("|")]
    assert is_header(first, rows) is expected


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(*[st.floats(-1e3, 1e3).map(lambda number: round(number, 3) + 0.0004)] * 3), min_size=2),
    words=st.booleans(),
)
def test_rows_of_numbers_are_all_rows(rows: list[tuple[float, ...]], words: bool) -> None:
    lines = [",".join([*map(repr, row), "w"] if words else map(repr, row)) for row in rows]
    assert len(take_in("t.csv", "\n".join(lines)).rows) == len(rows)


@pytest.mark.parametrize(
    ("filename", "content", "delimiter", "names"),
    [
        ("t.csv", "a;b\n1,5;2,5\n3,5;4,5\n", ";", ["a", "b"]),
        ("t.csv", "name,tags\nx,a;b\ny,c;d\n", ",", ["name", "tags"]),
        ("t.csv", "a|b,c|d\n1|2,3|4\n", "|", ["a", "b,c", "d"]),
        ("t.tsv", "a,b,c\td\n1,2,3\t4\n", "\t", ["a,b,c", "d"]),
        ("t.tab", "a;b;c\td\n1;2;3\t4\n", "\t", ["a;b;c", "d"]),
        ("t.tsv", "a,b\n1,2\n", ",", ["a", "b"]),
        ("t.csv.gz", "a,b\n1,2\n", ",", ["a", "b"]),
        ("t.data", "18.0   8   307.0\t\"chevrolet chevelle\"\n15.0   ?   350.0\t\"buick skylark\"\n", " ",
         ["column_1", "column_2", "column_3", "column_4"]),
        ("t.txt", "x y z\n1 2 3\n 4  5\t6 \n", " ", ["x", "y", "z"]),
        ("t.txt", "one two\nthree four\n", ",", ["one two"]),
        ("t.txt", "when\n2020-01-01 12:30\n2020-01-02 12:30\n", ",", ["when"]),
        ("t.txt", "pop\n1 234\n5 678\n", ",", ["pop"]),
        ("t.csv", "x y\n1 2\n", " ", ["x", "y"]),
        ("t.csv", "a,b\n", ",", ["a", "b"]),
    ],
)  # fmt: skip
def test_the_delimiter_that_fits(filename: str, content: str, delimiter: str, names: list[str]) -> None:
    if content.count("\n") == 1:
        with pytest.raises(InvalidRequest, match="no rows"):
            take_in(filename, content)
        return
    taken = take_in(filename, content)
    assert (taken.read_as.delimiter, taken.names) == (delimiter, names)


def test_columns_cut_by_spaces_may_be_quoted_and_have_spaces_around_them() -> None:
    taken = take_in("t.data", '  18.0   8\t "a  b"  \r\n15.0 ? "c ""d"""\r\n\n 1.0 2 e\r\n')
    assert taken.rows == [[18, 8, "a  b"], [15, None, 'c "d"'], [1, 2, "e"]]


@pytest.mark.parametrize(
    ("content", "names", "rows"),
    [
        ("# made by us\n# on Monday\na,b\n1,2\n", ["a", "b"], [[1, 2]]),
        ("# a,b\n1,2\n3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("#a,b\n1,2\n", ["a", "b"], [[1, 2]]),
        ("\n# note\n\n#a b c\n1 2 3\n4 5 7\n", ["a", "b", "c"], [[1, 2, 3], [4, 5, 7]]),
        ("#1,x\n#3,y\n", ["column_1", "column_2"], [["#1", "x"], ["#3", "y"]]),
        ("# what it is\nx\n1\n2\n", ["x"], [[1], [2]]),
        ("a,b\n1,#2\n#3,4\n", ["a", "b"], [["1", "#2"], ["#3", "4"]]),
        ("sep=|\na|b\n1|2\n", ["a", "b"], [[1, 2]]),
        ('\n"sep=;"\na;b\n1,5;2\n', ["a", "b"], [[1.5, 2]]),
        ("x,y\nr1,1,2\nr2,3,5\n", ["column_1", "x", "y"], [["r1", 1, 2], ["r2", 3, 5]]),
        ('"x" "y"\n"1" 5 6\n"2" 7 9\n', ["column_1", "x", "y"], [[1, 5, 6], [2, 7, 9]]),
        ("x,y\n1,2,\n3,4,\n", ["x", "y", "column_3"], [[1, 2, None], [3, 4, None]]),
        ("a,b\n\n\n1,2\n\n", ["a", "b"], [[1, 2]]),
        ("\ufeffa,b\n1,2\n\ufeff3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
    ],
)
def test_what_comes_before_the_rows(content: str, names: list[str], rows: list[list[object]]) -> None:
    taken = take_in("t.csv", content)
    assert (taken.names, [[*row] for row in taken.rows]) == (names, rows)


def test_in_r_s_habit_the_first_column_is_nameless() -> None:
    columns = take_in("t.csv", "x,y\nr1,1,2\nr2,3,5\n").columns
    assert [column.row_names for column in columns] == ["nameless", None, None]


def test_a_first_row_of_numbers_that_is_short_is_no_header() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.csv", "1,2\n3,4,5\n")
    assert refusal.value.code == "ragged_row"


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ('a,n\n"x \\"y\\"",1\n"z",2\n', ['x "y"', "z"]),
        ('a,n\n"\\"y\\" \\\\",1\n"C:\\dir",2\n', ['"y" \\', "C:\\dir"]),
        ('a,n\n"C:\\",1\n"D:\\",2\n', ["C:\\", "D:\\"]),
        ('a,n\n"say ""hi"" \\ there",1\n\\"b,2\n', ['say "hi" \\ there', '\\"b']),
        ('a,n\n"5\\"",1\n"6\\"",2\n', ['5"', '6"']),
        ('a,n\n "x, ""y""" ,1\n"b",2\n', ['x, "y"', "b"]),
        ('a,n\n"x, ""y"", "" z",1\n"b",2\n', ['x, "y", " z', "b"]),
        ('a,n\n5 "inch,1\n"b",2\n', ['5 "inch', "b"]),
    ],
)
def test_quotes_are_never_mangled(content: str, values: list[str]) -> None:
    assert [row[0] for row in take_in("t.csv", content).rows] == values


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.text('a"\\, ;\n', min_size=1).map(lambda text: f"t{text}t"), min_size=2, max_size=6))
def test_texts_with_doubled_quotes_come_back_whatever_is_in_them(texts: list[str]) -> None:
    cells = ['"' + text.replace('"', '""') + '"' for text in texts]
    taken = take_in("t.csv", "a,n\n" + "".join(f"{cell},{row}\n" for row, cell in enumerate(cells)))
    assert [row[0] for row in taken.rows] == texts


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.text('a"\\, ;', min_size=1).map(lambda text: f"t{text}t"), min_size=2, max_size=6))
def test_texts_with_backslashed_quotes_come_back_if_one_of_them_shows_what_they_are(texts: list[str]) -> None:
    written = [text.replace("\\", "\\\\").replace('"', '\\"') for text in ['x"y', *texts]]
    taken = take_in("t.csv", "a,n\n" + "".join(f'"{text}",{row}\n' for row, text in enumerate(written)))
    assert [row[0] for row in taken.rows] == ['x"y', *texts]


def test_a_delimiter_that_is_told_is_believed() -> None:
    assert take_in("t.csv", "a;b,c;d\n1;2,3;4\n", ReadingOptions(delimiter=",")).names == ["a;b", "c;d"]
    assert take_in("t.csv", "a b\nx y\n", ReadingOptions(delimiter=" ")).rows == [["x", "y"]]


def test_a_late_row_that_does_not_fit_is_named_where_columns_are_cut_by_spaces() -> None:
    lines = [f"{random.Random(row).random():.3f} {row}" for row in range(50)]  # noqa: S311
    with pytest.raises(InvalidRequest, match="Row 51 has 3 cells") as refusal:
        take_in("t.data", "\n".join([*lines, "1 2 3"]))
    assert refusal.value.code == "ragged_row"
