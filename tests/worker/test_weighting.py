from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backprop.coding import columns as coded_columns
from backprop.coding.holdout import stratified_mask
from backprop_client.wire.specs import ClassWeight
from infra.errors import InvalidRequest
from tests.support.tables import job_on, people, prepared


def table(rows: int = 200) -> dict[str, list[Any]]:
    found = people(rows)
    found["times"] = np.random.default_rng(3).integers(0, 4, rows).tolist()
    found["grade"] = [None if index % 11 == 5 else "aab"[index % 3] for index in range(rows)]
    return found


@pytest.mark.parametrize("batch_bytes", [None, 8 * 60])
def test_rows_weigh_what_their_column_and_their_class_say(
    batch_bytes: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if batch_bytes is not None:
        monkeypatch.setattr(coded_columns, "BATCH_BYTES", batch_bytes)
    rows = table()
    used = [index for index, grade in enumerate(rows["grade"]) if grade is not None]
    times = np.array(rows["times"], float)[used]
    codes = np.array(["ab".index(rows["grade"][index]) for index in used])
    held = stratified_mask(codes, 2, 0.25, 0)
    base: dict[str, Any] = {"targets": ["grade"], "holdout": 0.25}

    plain = prepared(tmp_path, rows, job_on(rows, **base))
    assert (plain.weights, plain.weights_held, plain.cost_weights, plain.cost_weights_held) == (None,) * 4

    by_column = prepared(tmp_path, rows, job_on(rows, weights="times", **base))
    for found, expected in ((by_column.weights, times[~held]), (by_column.weights_held, times[held])):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(by_column.cost_weights, times[~held])
    np.testing.assert_array_equal(by_column.cost_weights_held, times[held])
    assert "times" not in by_column.coding.inputs.unit_names

    by_class = prepared(tmp_path, rows, job_on(rows, class_weight={"b": 3}, **base))
    assert by_class.weights is None
    np.testing.assert_array_equal(by_class.cost_weights, np.where(codes[~held] == 1, 3, 1))
    assert by_class.rows.class_weight is None

    both = prepared(tmp_path, rows, job_on(rows, weights="times", class_weight="balanced", **base))
    counts = np.bincount(codes[~held])
    balanced = (~held).sum() / (2 * counts)
    assert both.cost_weights is not None
    assert both.cost_weights_held is not None
    np.testing.assert_array_equal(both.weights, times[~held])
    np.testing.assert_allclose(both.cost_weights, times[~held] * balanced[codes[~held]], rtol=1e-15)
    np.testing.assert_allclose(both.cost_weights_held, times[held] * balanced[codes[held]], rtol=1e-15)
    assert both.rows.class_weight == tuple(
        ClassWeight(label=label, weight=weight) for label, weight in zip("ab", balanced.tolist(), strict=True)
    )


def test_without_rows_held_out_there_are_no_weights_of_them(tmp_path: Path) -> None:
    rows = table()
    data = prepared(tmp_path, rows, job_on(rows, targets=["grade"], weights="times", class_weight="balanced"))
    assert (data.weights_held, data.cost_weights_held) == (None, None)
    assert data.weights is not None


def test_the_weights_may_be_an_input_too(tmp_path: Path) -> None:
    rows = table()
    data = prepared(tmp_path, rows, job_on(rows, targets=["height"], inputs=["age", "times"], weights="times"))
    np.testing.assert_array_equal(data.weights, np.array(rows["times"], float))
    assert "times" in data.coding.inputs.unit_names


@pytest.mark.parametrize(
    ("held", "which"), [([0, 0, 1, 1], "training"), ([1, 1, 0, 0], "held-out")], ids=["training", "held out"]
)
def test_rows_of_which_none_weighs_anything_are_told(held: list[int], which: str, tmp_path: Path) -> None:
    rows: dict[str, list[Any]] = {"x": [1.0, 2.0, 3.0, 5.0], "y": [1.0, 4.0, 2.0, 3.0], "w": [0, 0, 1, 2], "held": held}
    job = job_on(rows, targets=["y"], weights="w", holdout_by={"column": "held", "value": 1})
    with pytest.raises(InvalidRequest, match=f"Every {which} row weighs 0") as refused:
        prepared(tmp_path, rows, job)
    assert refused.value.code == "unusable_weights"
