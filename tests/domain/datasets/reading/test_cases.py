"""Small files that people reported as read wrongly by one program or another, and what is right."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from domain.datasets.reading.options import ReadingOptions
from infra.errors import InvalidRequest
from tests.support.uploads import npz_file, parquet_file, take_in

NAMED_BY_NUMBERS = "0,1,label\n" + "".join(f"{row / 8 - 1.3:.3f},{1 - row / 7:.3f},{row % 2}\n" for row in range(40))


@pytest.mark.parametrize(
    ("filename", "content", "names", "types", "rows"),
    [
        (
            "headless with decimal commas.csv",
            "1,5;2,5\n3,5;4,5\n5,5;6,5\n7,5;8,5\n",
            ["column_1", "column_2"],
            ["number", "number"],
            [[1.5, 2.5], [3.5, 4.5], [5.5, 6.5], [7.5, 8.5]],
        ),
        (
            "commas in the header.csv",
            "Hoehe, cm;Gewicht, kg\n170,5;65,5\n180,5;75,5\n",
            ["Hoehe, cm", "Gewicht, kg"],
            ["number", "number"],
            [[170.5, 65.5], [180.5, 75.5]],
        ),
        (
            "comma in a tab-separated file.tsv",
            "lat,lon\tvalue\n55.7,12.5\t3\n48.1,11.6\t4\n",
            ["lat,lon", "value"],
            ["category", "integer"],
            [["55.7,12.5", 3], ["48.1,11.6", 4]],
        ),
        (
            "decimal commas.csv",
            "m2;preis\n50,5;100,25\n53,5;106,25\n",
            ["m2", "preis"],
            ["number", "number"],
            [[50.5, 100.25], [53.5, 106.25]],
        ),
        (
            "sep line.csv",
            "SEP=;\r\nsize;price\r\n1;10\r\n2;20\r\n",
            ["size", "price"],
            ["integer"] * 2,
            [[1, 10], [2, 20]],
        ),
        ("plus.csv", "x,y\n1.58,+1\n-2.118,-1\n", ["x", "y"], ["number", "integer"], [[1.58, 1], [-2.118, -1]]),
        ("whole floats.csv", "x,y\n0.1,0.0\n0.6,1.0\n", ["x", "y"], ["number", "integer"], [[0.1, 0], [0.6, 1]]),
        (
            "one question mark.csv",
            "age,y\n20,young\n?,old\n22,young\n",
            ["age", "y"],
            ["integer", "category"],
            [[20, "young"], [None, "old"], [22, "young"]],
        ),
        (
            "written for people.csv",
            'pop,share,money\n"1,234",12%,$5.50\n"2,345",13%,$6.50\n',
            ["pop", "share", "money"],
            ["integer", "number", "number"],
            [[1234, 0.12, 5.5], [2345, 0.13, 6.5]],
        ),
        ("blank lines first.csv", "\n" * 25 + "a,b\n1,2\n3,4\n", ["a", "b"], ["integer"] * 2, [[1, 2], [3, 4]]),
        (
            "space before a quote.csv",
            '"id", "colour"\n7, "red"\n9, "blue"\n',
            ["id", "colour"],
            ["integer", "category"],
            [[7, "red"], [9, "blue"]],
        ),
        (
            "quotes with backslashes.csv",
            'item,n\n"a \\"b\\" c",3\n"d",4\n',
            ["item", "n"],
            ["category", "integer"],
            [['a "b" c', 3], ["d", 4]],
        ),
        ("two byte order marks.csv", "\ufeff\ufeffid,x\n1,2\n3,4\n", ["id", "x"], ["integer"] * 2, [[1, 2], [3, 4]]),
        ("decomposed.csv", "cafe\u0301,y\n1,2\n", ["caf\u00e9", "y"], ["integer"] * 2, [[1, 2]]),
        (
            "spaces.data",
            "5.1 3.5 1.4 0\n4.9 3.0 1.4 0\n6.1 2.8 4.7 1\n",
            ["column_1", "column_2", "column_3", "column_4"],
            ["number", "number", "number", "integer"],
            [[5.1, 3.5, 1.4, 0], [4.9, 3.0, 1.4, 0], [6.1, 2.8, 4.7, 1]],
        ),
        (
            "digits only.csv",
            "y,size,code\n1,0.1,11\n0,0.2,10\n",
            ["y", "size", "code"],
            ["integer", "number", "integer"],
            [[1, 0.1, 11], [0, 0.2, 10]],
        ),
    ],
)
def test_a_file_is_read_as_it_was_meant(
    filename: str, content: str, names: list[str], types: list[str], rows: list[list[object]]
) -> None:
    taken = take_in(filename, content)
    assert (taken.names, taken.types, taken.rows) == (names, types, rows)


def test_names_that_are_numbers_are_names() -> None:
    taken = take_in("t.csv", NAMED_BY_NUMBERS)
    assert (taken.names, len(taken.rows)) == (["0", "1", "label"], 40)
    assert taken.columns[2].categories == (0, 1)


def test_labels_that_are_whole_floats_are_classes() -> None:
    taken = take_in("t.npz", npz_file(x=np.random.default_rng(0).normal(size=(60, 2)), y=np.arange(60) % 2.0))
    assert (taken.columns[2].type, taken.columns[2].categories) == ("integer", (0, 1))


def test_the_index_that_pandas_writes_is_names_of_rows() -> None:
    described = b'{"index_columns": ["__index_level_0__"], "columns": []}'
    table = pa.table({"a": [0.5, 1.5], "__index_level_0__": [48, 94]}).replace_schema_metadata({b"pandas": described})
    assert [column.row_names for column in take_in("t.parquet", parquet_file(table)).columns] == [None, "pandas_index"]
    from_csv = take_in("t.csv", ",a,kind\n0,0.5,p\n1,1.5,q\n")
    assert [(column.name, column.row_names) for column in from_csv.columns] == [
        ("column_1", "nameless"),
        ("a", None),
        ("kind", None),
    ]


def test_a_key_twice_in_an_object_is_refused_with_its_row() -> None:
    with pytest.raises(InvalidRequest, match="Row 2") as refusal:
        take_in("t.json", '[{"x": 4, "y": 5}, {"x": 1, "x": 2, "y": 3}]')
    assert refusal.value.code == "duplicate_key"


def test_a_category_of_digits_is_one_if_the_client_says_so() -> None:
    taken = take_in("t.csv", "y,code\n1,11\n0,010\n1,1.0\n", ReadingOptions(types={"code": "category"}))
    assert taken.columns[1].categories == ("010", "1.0", "11")
