from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.coding.holdout import stratified_mask
from infra.errors import InvalidRequest
from tests.support.tables import KEY, job_on, prepared, store_with
from worker.holdout import equal, held_out_mask

MOMENT = datetime(2024, 5, 1, 12, 30)  # noqa: DTZ001  # as datasets have them: UTC without saying so


def table(rows: int = 60) -> dict[str, list[Any]]:
    rng = np.random.default_rng(3)
    return {
        "size": rng.normal(size=rows).tolist(),
        "year": rng.integers(2020, 2024, rows).tolist(),
        "split": rng.choice(["test", "train", "other"], rows).tolist(),
        "seen": [None if index % 7 == 0 else bool(index % 3) for index in range(rows)],
        "when": [MOMENT.replace(day=1 + index % 20) for index in range(rows)],
        "kind": [None if index % 9 == 4 else "abc"[index % 3] for index in range(rows)],
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("split", "test"),
        ("year", 2021),
        ("year", 2021.0),
        ("seen", True),
        ("seen", False),
        ("when", "2024-05-03T12:30:00Z"),
        ("when", "2024-05-03T14:30+02:00"),
    ],
)
def test_rows_with_a_value_are_held_out(column: str, value: Any, tmp_path: Path) -> None:  # noqa: ANN401
    rows = table()
    job = job_on(rows, targets=["kind"], holdout_by={"column": column, "value": value})
    used = [index for index in range(60) if rows["kind"][index] is not None]
    wanted = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None) if column == "when" else value
    expected = [rows[column][index] == wanted for index in used]
    mask = held_out_mask(job, store_with(tmp_path, rows), KEY, len(used))
    assert mask.tolist() == expected
    assert 0 < mask.sum() < len(used)
    data = prepared(tmp_path, rows, job)
    assert data.X_held is not None
    assert (len(data.X_held), data.rows.held_out) == (sum(expected), sum(expected))
    assert f"{column}" not in " ".join(data.coding.inputs.unit_names)


def test_each_class_has_its_share(tmp_path: Path) -> None:
    rows = table()
    job = job_on(rows, targets=["kind"], holdout=0.3, training={"seed": 5})
    codes = np.array(["abc".index(kind) for kind in rows["kind"] if kind is not None])
    mask = held_out_mask(job, store_with(tmp_path, rows), KEY, len(codes))
    np.testing.assert_array_equal(mask, stratified_mask(codes, 3, 0.3, 5))


@pytest.mark.parametrize(
    ("rows", "value", "says"),
    [
        ({"x": [1.0, 2.0, 3.0], "part": [1.0, 3.0, 3.0], "y": ["a", "b", "a"]}, 2, "none has 'part' = 2"),
        ({"x": [1.0, 2.0, 3.0], "part": [1.0, 2.0, 2.0], "y": [None, "b", "a"]}, 2, "every one has 'part' = 2"),
    ],
)
def test_none_and_all_are_told(rows: dict[str, list[Any]], value: float, says: str, tmp_path: Path) -> None:
    job = job_on(rows, targets=["y"], holdout_by={"column": "part", "value": value})
    with pytest.raises(InvalidRequest, match=says) as refused:
        prepared(tmp_path, rows, job)
    assert refused.value.code == "too_few_rows"


def test_classes_of_one_row_each_are_told(tmp_path: Path) -> None:
    rows: dict[str, list[Any]] = {"x": [1.0, 2.0, None, 4.0], "y": ["a", "b", "a", None]}
    job = job_on(rows, targets=["y"], holdout=0.3, missing="drop_rows")
    with pytest.raises(InvalidRequest, match="every class has one only") as refused:
        prepared(tmp_path, rows, job)
    assert refused.value.code == "too_few_rows"


@pytest.mark.parametrize(
    ("values", "value", "found"),
    [
        (np.array(["a", None, "b"], object), "a", [True, False, False]),
        (np.array([True, None, False], object), False, [False, False, True]),
        (np.array([np.nan, 2.0]), 2, [False, True]),
        (np.array([60.0, np.nan]), "00:01", [True, False]),
        (np.array([1, 2]), 2.0, [False, True]),
    ],
)
def test_values_are_compared_as_what_they_are(values: NDArray[Any], value: Any, found: list[bool]) -> None:  # noqa: ANN401
    assert equal(values, value).tolist() == found
