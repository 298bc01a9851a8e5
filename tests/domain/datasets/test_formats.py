from __future__ import annotations

import decimal
import io
import json
import tempfile
import zipfile
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from domain.datasets.reading import content as content_reading
from domain.datasets.reading import json_rows
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.tables import TableLimits
from infra.errors import InvalidRequest, TooLarge
from tests.support.uploads import arrow_file, csv_file, json_file, json_lines_file, npz_file, parquet_file, take_in

NAMES = ["whole", "real", "flag", "kind", "nothing"]
ROWS: list[list[Any]] = [
    [1, 0.1, True, "red", None],
    [None, -2e300, False, "grün, 'x'", None],
    [-(2**63), None, None, "blue", None],
    [2**63 - 1, 3.0, True, None, None],
]


def _arrow_table() -> pa.Table:
    return pa.table(
        [list(cells) for cells in zip(*ROWS, strict=True)],
        schema=pa.schema(
            [
                ("whole", pa.int64()),
                ("real", pa.float64()),
                ("flag", pa.bool_()),
                ("kind", pa.dictionary(pa.int8(), pa.string())),
                ("nothing", pa.null()),
            ]
        ),
    )


def _array_of_header(header: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(96)


@pytest.mark.parametrize("as_suffix", [True, False])
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", json_file(NAMES, ROWS).encode()),
        (".jsonl", json_lines_file(NAMES, ROWS).encode()),
        (".parquet", parquet_file(_arrow_table())),
        (".arrows", arrow_file(_arrow_table(), batch_rows=3)),
        (".arrows", arrow_file(_arrow_table(), compression="zstd")),
    ],
)
def test_every_format_of_one_table_gives_the_same_columns_and_rows(
    suffix: str, content: bytes, as_suffix: bool
) -> None:
    from_csv = take_in("t.csv", csv_file(NAMES, ROWS))
    other = take_in("t" + suffix * as_suffix, content)
    assert from_csv.rows == ROWS
    assert (other.columns, other.rows) == (from_csv.columns, from_csv.rows)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_give_the_same_columns_as_the_csv_of_their_values(order: Any) -> None:  # noqa: ANN401
    x = np.random.default_rng(0).normal(size=(50, 3))
    y = np.where(x[:, 0] > 0, "yes", "no")
    rows = [[*values.tolist(), str(label)] for values, label in zip(x, y, strict=True)]
    from_csv = take_in("t.csv", csv_file(["x_1", "x_2", "x_3", "y"], rows))
    for filename in ("t.npz", "t"):
        taken = take_in(filename, npz_file(x=np.asarray(x, order=order), y=y))
        assert (taken.columns, taken.rows) == (from_csv.columns, from_csv.rows)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_json_rows_are_read_alike_however_the_file_is_cut(data: st.DataObject) -> None:
    values = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
    texts = st.none() | st.text(st.characters(codec="utf-8"))
    rows: list[dict[str, Any]] = [
        {"a": 0.5, "ü": "t"},
        *data.draw(st.lists(st.fixed_dictionaries({}, optional={"a": values, "ü": texts}))),
    ]
    content = data.draw(
        st.sampled_from([json.dumps(rows), json.dumps(rows, indent=2), "\n".join(map(json.dumps, rows)) + "\n"])
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content_reading, "PIECE_BYTES", data.draw(st.integers(1, 40)))
        patch.setattr(json_rows, "_MOST_BATCH_ROWS", data.draw(st.integers(1, 5)))
        taken = take_in("t.json", content)
    assert taken.types == ["number", "category"]
    assert taken.rows == [[float(row["a"]) if row.get("a") is not None else None, row.get("ü")] for row in rows]


def test_json_columns_are_the_keys_of_all_rows() -> None:
    taken = take_in("t.json", '[{"a": 1}, {"b": "x", "a": 2.5}, {}, {"c": true}]')
    assert taken.names == ["a", "b", "c"]
    assert taken.types == ["number", "category", "boolean"]
    assert taken.rows == [[1.0, None, None], [2.5, "x", None], [None] * 3, [None, None, True]]


@pytest.mark.parametrize("content", ["[[1, 2], [3, 4]]", "[1, 2]\n[3, 4]", " [ [1,2] ,\n [3,4] ] \n"])
def test_json_rows_may_be_arrays(content: str) -> None:
    taken = take_in("t.json", content)
    assert (taken.names, taken.rows) == (["column_1", "column_2"], [[1, 2], [3, 4]])


def test_the_first_of_json_arrays_may_be_the_header() -> None:
    taken = take_in("t.json", '[["p", "q"], [1, 2]]', ReadingOptions(header=True))
    assert (taken.names, taken.rows) == (["p", "q"], [[1, 2]])


def test_json_nan_is_missing_and_integers_beyond_int64_are_numbers() -> None:
    taken = take_in("t.json", '{"a": NaN, "b": 1}\n{"a": 1, "b": 9223372036854775808}')
    assert taken.rows == [[None, 1.0], [1, 2.0**63]]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("", "empty_file", "empty"),
        ("  \n", "empty_file", "empty"),
        ("[]", "no_columns", "no columns"),
        ("{}", "no_columns", "no columns"),
        ("5", "not_rows", "Row 1"),
        ('"x"', "not_rows", "Row 1"),
        ('{"a": 1}\n[1]', "not_rows", "Row 2"),
        ('[{"a": 1}, 7]', "not_rows", "Row 2"),
        ("[[1, 2], [3]]", "ragged_row", "Row 2 has 1"),
        ('[{"a": {"b": 1}}]', "nested_value", "Row 1, column 'a'"),
        ('[{"a": 1}, {"a": [2]}]', "nested_value", "Row 2, column 'a'"),
        ("[[[1]]]", "nested_value", "Row 1"),
        ('[{"a": [1]}, {"a": [2]}]', "nested_value", "Row 1, column 'a'"),
        ('[{"a": null}, {"a": {}}, {"a": {}}]', "nested_value", "Row 2, column 'a'"),
        ('[{"a": 1}, {"a": 1.5}, {"a": "1"}]', "mixed_types", "Row 3, column 'a'"),
        ('[{"a": true}, {"a": 1}]', "mixed_types", "Row 2, column 'a'"),
        ("[" * 50_000, "nested_value", "nested"),
        ('{"a": ' * 50_000, "nested_value", "nested"),
        ('[{"a": 1}, {"a": "x"}]', "mixed_types", "Row 2, column 'a': the value is a string"),
        ('[{"a": 1, "b": 1}, {"a": 2, "b": true}]', "mixed_types", "Row 2, column 'b': the value is a boolean"),
        ('[{"a": 1}', "invalid_json", "row 1"),
        ('[{"a": 1},', "invalid_json", "end of the array"),
        ('[{"a": 1} {"a": 2}]', "invalid_json", "row 1"),
        ('[{"a": 1}] x', "invalid_json", "follows"),
        ('{"a": 1}]', "invalid_json", "follows"),
        ('{"a": 1}\n{"a": oops}', "invalid_json", "Row 2"),
        ('{"a": ' + "9" * 5000 + "}", "invalid_json", "digits"),
        ('{"a": 1}\n{"a": Infinity}', "infinite_number", "Row 2, column 'a'"),
        ('{"a": 1e999}', "infinite_number", "Row 1, column 'a'"),
        ('{"a": ' + "9" * 400 + "}", "infinite_number", "Row 1, column 'a'"),
        ('{"a": "\\ud800"}', "not_utf8", "Unicode"),
        ('{"\\ud800": 1}', "not_utf8", "Unicode"),
        ('{"a": 1, " a": 2}', "duplicate_column", "'a'"),
    ],
)
def test_json_that_is_no_table_is_refused_and_the_place_is_named(content: str, code: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.json", content)
    assert refusal.value.code == code
    assert says in refusal.value.message


def test_json_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.json", b'{"a": "\xff"}')
    assert refusal.value.code == "not_utf8"


def test_a_sparse_json_table_is_refused_by_its_cells() -> None:
    content = json.dumps([{f"k{key}": 1 for key in range(100)}]) + "\n{}" * 1000
    with pytest.raises((InvalidRequest, TooLarge)):
        take_in("t.json", content, limits=TableLimits(rows=10_000, columns=1000, cells=50_000))
    lines = json.dumps({f"k{key}": 1 for key in range(100)}) + "\n{}" * 1000
    with pytest.raises(TooLarge) as refusal:
        take_in("t.json", lines, limits=TableLimits(rows=10_000, columns=1000, cells=50_000))
    assert refusal.value.code == "too_many_cells"


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=100) | st.text('[]{}",:1a \n.-e', max_size=40).map(str.encode))
@pytest.mark.parametrize("filename", ["t.json", "t.parquet", "t.npz"])
def test_any_bytes_are_taken_or_refused(filename: str, content: bytes) -> None:
    try:
        taken = take_in(filename, content)
    except (InvalidRequest, TooLarge):
        return
    assert taken.rows


@pytest.mark.parametrize(
    ("values", "expected_type", "expected"),
    [
        (pa.array([1, None, 255], pa.uint8()), "integer", [1, None, 255]),
        (pa.array([1, 2**63], pa.uint64()), "number", [1.0, 2.0**63]),
        (pa.array([1, 2**63 - 1], pa.uint64()), "integer", [1, 2**63 - 1]),
        (pa.array([0.5, float("nan")], pa.float32()), "number", [0.5, None]),
        (pa.array([decimal.Decimal("1.25"), None]), "number", [1.25, None]),
        (pa.array([decimal.Decimal("4017.747"), None]), "number", [4017.747, None]),
        (pa.array(["a", None], pa.large_string()), "category", ["a", None]),
        (pa.array([3, 4, 3]).dictionary_encode(), "integer", [3, 4, 3]),
        (pa.array([None, None], pa.null()), "number", [None, None]),
    ],
)
def test_parquet_types_become_canonical_ones(values: pa.Array, expected_type: str, expected: list[Any]) -> None:
    taken = take_in("t.parquet", parquet_file(pa.table({"c": values})))
    assert taken.types == [expected_type]
    assert [row[0] for row in taken.rows] == expected


def test_parquet_row_groups_are_all_read() -> None:
    content = io.BytesIO()
    table = pa.table({"a": range(20_000), "s": [f"s{row % 7}" for row in range(20_000)]})
    parquet.write_table(table, content, row_group_size=3_000)
    assert take_in("t.parquet", content.getvalue()).rows == [list(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("table", "code", "says"),
    [
        (pa.table({"how long": [timedelta(1)]}), "unsupported_type", "'how long' is of type duration"),
        (pa.table({"n": [[1, 2]]}), "unsupported_type", "'n' is of type list"),
        (pa.table({"n": [{"a": 1}]}), "unsupported_type", "'n' is of type struct"),
        (pa.table({"b": [b"x"]}), "unsupported_type", "'b' is of type binary"),
        (pa.table([[1], [2]], ["a", "a"]), "duplicate_column", "'a'"),
        (pa.table({"a": pa.array([], pa.int64())}), "no_rows", "no rows"),
        (pa.table({}), "no_columns", "no columns"),
        (pa.table({"a": [0.0, float("-inf")]}), "infinite_number", "Row 2, column 'a'"),
        (pa.table({"a": ["x", "y" * 40_000]}), "text_too_long", "Row 2, column 'a'"),
        (
            pa.table({"a": pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())}),
            "invalid_parquet",
            "UTF8",
        ),
    ],
)
def test_parquet_that_is_no_such_table_is_refused(table: pa.Table, code: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.parquet", parquet_file(table))
    assert refusal.value.code == code
    assert says in refusal.value.message


def test_truncated_and_damaged_parquet_is_refused() -> None:
    content = parquet_file(pa.table({"a": list(range(1000)), "s": [str(row) for row in range(1000)]}))
    for damaged in (
        content[:-5],
        content[: len(content) // 2],
        content[:4],
        content[:100] + bytes(500) + content[600:],
    ):
        with pytest.raises(InvalidRequest) as refusal:
            take_in("t.parquet", damaged)
        assert refusal.value.code == "invalid_parquet"


def test_a_parquet_file_that_unpacks_to_too_much_is_refused_before_it_is_read() -> None:
    content = parquet_file(pa.table({"a": np.zeros(10**6, dtype=np.int64)}))
    assert len(content) < 20_000
    with pytest.raises(TooLarge) as refusal:
        take_in("t.parquet", content, limits=TableLimits(rows=10**7, columns=10, cells=10**5))
    assert refusal.value.code == "too_many_cells"


def test_a_long_string_repeated_in_every_row_is_refused_before_it_is_repeated() -> None:
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**6, np.int32)), pa.array(["x" * 10**6]))
    content = parquet_file(pa.table({"a": long}))
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.parquet", content)
    assert refusal.value.code == "text_too_long"


@pytest.mark.parametrize(
    ("arrays", "names", "types"),
    [
        ({"x": np.full((3, 2), 0.5, np.float32)}, ["x_1", "x_2"], ["number"] * 2),
        ({"x": np.full(3, 0.5)}, ["x_1"], ["number"]),
        ({"x": np.zeros((3, 1), np.uint8), "y": np.arange(3)}, ["x_1", "y"], ["integer"] * 2),
        ({"x": np.full((3, 1), 0.5), "y": np.ones((3, 2), bool)}, ["x_1", "y_1", "y_2"], ["number"] + ["boolean"] * 2),
        ({"x": np.full((3, 1), 0.5, ">f8"), "y": np.array(["a", "bc", ""])}, ["x_1", "y"], ["number", "category"]),
    ],
)
def test_arrays_become_columns(arrays: dict[str, Any], names: list[str], types: list[str]) -> None:
    taken = take_in("t.npz", npz_file(**arrays))
    assert (taken.names, taken.types) == (names, types)
    expected = np.concatenate([array.reshape(3, -1).astype(object) for array in arrays.values()], axis=1)
    assert taken.rows == expected.tolist()


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (npz_file(a=np.zeros(3)), "invalid_npz", "no array `x`"),
        (npz_file(x=np.array([None, 1])), "unsupported_array", "object"),
        (npz_file(x=np.zeros(3, complex)), "unsupported_array", "complex"),
        (npz_file(x=np.zeros(3, "M8[s]")), "unsupported_array", "datetime64"),
        (npz_file(x=np.array(1.0)), "unsupported_array", "shape ()"),
        (npz_file(x=np.zeros((2, 2, 2))), "unsupported_array", "shape (2, 2, 2)"),
        (npz_file(x=np.zeros((3, 0))), "unsupported_array", "columns"),
        (npz_file(x=np.zeros((0, 3))), "no_rows", "no rows"),
        (npz_file(x=np.zeros((3, 1)), y=np.zeros(2)), "unsupported_array", "3 rows and `y` has 2"),
        (npz_file(x=np.array([[1.0], [np.inf]])), "infinite_number", "Row 2, column 'x_1'"),
        (npz_file(x=np.array([1, 2**63], np.uint64)), "integer_too_large", "Row 2, column 'x_1'"),
        (npz_file(x=np.zeros((9, 9)))[:-30], "invalid_npz", "zip"),
        (b"PK\x03\x04 and no more", "invalid_npz", "zip"),
    ],
)
def test_arrays_that_are_no_table_are_refused(content: bytes, code: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", content)
    assert refusal.value.code == code
    assert says in refusal.value.message


def npz_of_member(content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip whose `x.npy` is that."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("x.npy", content)
    return file.getvalue()


def member(header: str, values: bytes = b"") -> bytes:
    """What an .npy file with that header would be."""
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + values


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_array_compressed_as_numpy_never_does_is_not_unpacked(compression: int) -> None:
    """These unpack as much at once as a few bytes say."""
    content = npz_of_member(
        member("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1)}\n", bytes(2**24)), compression
    )
    assert len(content) < 10_000
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", content)
    assert refusal.value.code == "invalid_npz"
    assert "compressed" in refusal.value.message


@pytest.mark.parametrize(
    "header",
    [
        "{[1]: 2}",
        "{'descr': '<f8', 2: 3}",
        "-" * 9000 + "1",
        "{'descr': (), 'fortran_order': False, 'shape': (2,)}",
        "{'descr': ('<f8',), 'fortran_order': False, 'shape': (2,)}",
        "{'descr': " + "(" * 50 + "'<f8'," + ")" * 50 + ", 'fortran_order': False, 'shape': (2,)}",
    ],
)
def test_an_array_with_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", npz_of_member(member(header, bytes(64))))
    assert refusal.value.code in ("invalid_npz", "unsupported_array")


@pytest.mark.parametrize("order", [False, True])
def test_a_shape_of_truth_values_is_none(order: bool) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': {order}, 'shape': (True, 2)}}"
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", npz_of_member(member(header, bytes(64))))
    assert refusal.value.code == "unsupported_array"


def test_an_array_of_characters_beyond_unicode_is_refused() -> None:
    header = "{'descr': '<U1', 'fortran_order': False, 'shape': (2, 1)}"
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", npz_of_member(member(header, b"\0\0\x11\0\xff\xff\xff\xff")))
    assert refusal.value.code == "invalid_npz"


@pytest.mark.parametrize("content", [b'[["a","b"]]', b'["a","b"]\n'])
def test_json_with_nothing_but_a_header_has_no_rows(content: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.json", content, options=ReadingOptions(header=True))
    assert refusal.value.code == "no_rows"


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_shorter_than_its_header_says_is_refused(order: Any) -> None:  # noqa: ANN401
    member = io.BytesIO()
    np.save(member, np.zeros((100, 2), order=order))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.npy", member.getvalue()[:-8])
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", content.getvalue())
    assert refusal.value.code == "invalid_npz"


def test_declared_shapes_pass_the_limits_before_anything_is_unpacked() -> None:
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (10**8, 10**4)})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.npy", member.getvalue())
    with pytest.raises(TooLarge) as refusal:
        take_in("t.npz", content.getvalue())
    assert refusal.value.code == "too_many_cells"


@pytest.mark.parametrize(
    "member",
    [
        b"no array",
        _array_of_header("(" * 9000),
        _array_of_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, -2)}"),
        _array_of_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 2)}"),
        _array_of_header("{'descr': '<U0', 'fortran_order': False, 'shape': (3, 2)}"),
        _array_of_header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3, 2)}"),
        _array_of_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}")[:-49],
    ],
)
def test_a_zip_member_that_is_no_such_array_is_refused(member: bytes) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", content.getvalue())
    assert refusal.value.code in {"invalid_npz", "unsupported_array"}


def test_pickled_content_is_never_loaded() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.npy", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07builtin\x94.")
    with pytest.raises(InvalidRequest) as refusal:
        take_in("t.npz", content.getvalue())
    assert refusal.value.code == "invalid_npz"


def test_of_an_array_stored_by_column_no_more_is_unpacked_than_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Watched(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, piece: Any) -> int:  # noqa: ANN401
            sizes.append(len(piece))
            return super().write(piece)

    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": True, "shape": (10, 2)})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", member.getvalue() + bytes(2**24))
    monkeypatch.setattr("domain.datasets.reading.npz.TemporaryFile", Watched)
    assert take_in("t.npz", content.getvalue()).rows == [[0.0, 0.0]] * 10
    assert sum(sizes) == 10 * 2 * 8


def test_a_parquet_column_that_unpacks_to_too_much_at_once_is_refused_before_it_is_read() -> None:
    content = parquet_file(pa.table({"a": ["x" * 300_000_000, "b"]}))
    with pytest.raises(TooLarge) as refusal:
        take_in("t.parquet", content)
    assert "row group 1" in refusal.value.message


def test_arrow_integers_beyond_int64_are_numbers_and_times_are_moments() -> None:
    table = pa.table(
        {
            "large": pa.array([1, 2**64 - 1], pa.uint64()),
            "small": pa.array([1, 2], pa.uint64()),
            "at": pa.array([3_600, None], pa.time32("s")),
            "when": pa.array([0, 1_000], pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    taken = take_in("t.arrows", arrow_file(table))
    assert taken.types == ["number", "integer", "datetime", "datetime"]
    assert taken.rows == [
        [1.0, 1, "01:00:00", "1970-01-01T00:00:00Z"],
        [2.0**64, 2, None, "1970-01-01T00:00:00.000001Z"],
    ]


def test_what_is_wrong_with_an_arrow_stream_is_told() -> None:
    nested = pa.table({"a": pa.array([[1]], pa.list_(pa.int64()))})
    damaged = pa.table({"a": pa.array(["x", "y"])}).slice(0, 2)
    content = bytearray(arrow_file(damaged))
    content[content.index(b"xy")] = 0xFF  # no UTF-8
    for sent, code in (
        (arrow_file(nested), "unsupported_type"),
        (bytes(content), "invalid_arrow"),
        (b"x", "invalid_arrow"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            take_in("t.arrows", sent)
        assert refused.value.code == code
