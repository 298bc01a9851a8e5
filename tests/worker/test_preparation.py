from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backprop.coding import columns as coded_columns
from backprop.coding.coding import Coding
from backprop.coding.holdout import holdout_mask
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction
from infra.errors import InvalidRequest, TooLarge
from tests.support.tables import job_on, people, prepared
from worker import preparation


def rows_of(table: Mapping[str, Sequence[Any]], mask: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {
        name: np.array(values, dtype=object if isinstance(values[0], str) else None)[mask]
        for name, values in table.items()
    }


JOBS: list[tuple[dict[str, Any], type[Any]]] = [
    ({"targets": ["grade"]}, ClassCoding),
    ({"targets": ["colour"], "scaling": "min_max"}, ClassCoding),
    ({"targets": ["height"], "scaling": "none"}, NumberCoding),
    ({"targets": ["height", "age"]}, NumberCoding),
    ({"task": "reconstruction"}, Reconstruction),
]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize(("spec", "coding"), JOBS)
@pytest.mark.parametrize("batch_bytes", [None, 8 * 60])
def test_rows_are_coded_as_learned_from_the_training_rows(
    activation: str,
    spec: dict[str, Any],
    coding: type[Any],
    batch_bytes: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if batch_bytes is not None:
        monkeypatch.setattr(coded_columns, "BATCH_BYTES", batch_bytes)
    table = people()
    job = job_on(table, activation, holdout=0.25, holdout_by="random", **spec)
    data = prepared(tmp_path, table, job)
    held = holdout_mask(200, 0.25, job.training.seed)
    training = rows_of(table, ~held)
    assert isinstance(data.coding.targets, coding)
    assert (data.X.shape, data.Y.shape) == ((150, job.sizes[0]), (150, job.sizes[-1]))
    assert data.X.flags.c_contiguous
    np.testing.assert_array_equal(data.X, data.coding.inputs.encode(training))
    np.testing.assert_array_equal(data.Y, data.coding.targets.encode(training))
    assert data.X_held is not None
    assert data.Y_held is not None
    np.testing.assert_array_equal(data.X_held, data.coding.inputs.encode(rows_of(table, held)))
    np.testing.assert_array_equal(data.Y_held, data.coding.targets.encode(rows_of(table, held)))
    numbers = data.coding.inputs.scaled_names
    if job.scaling == "standardize":
        np.testing.assert_allclose(
            data.coding.inputs.scaler.offset, [training[name].mean() for name in numbers], rtol=1e-12
        )
    assert Coding.from_json(data.coding.to_json()) == data.coding


def test_a_reconstruction_needs_its_matrix_once(tmp_path: Path) -> None:
    table = people()
    data = prepared(tmp_path, table, job_on(table, task="reconstruction", holdout=0.1))
    assert data.Y is data.X
    assert data.Y_held is data.X_held


def test_without_a_holdout_nothing_is_held(tmp_path: Path) -> None:
    table = people()
    data = prepared(tmp_path, table, job_on(table, targets=["grade"]))
    assert data.X_held is None
    assert data.Y_held is None
    assert len(data.X) == 200


def test_float32_is_kept_on_disk_as_float32(tmp_path: Path) -> None:
    table = people()
    data = prepared(tmp_path, table, job_on(table, targets=["grade"], training={"dtype": "float32"}))
    assert data.X.dtype == data.Y.dtype == np.float32
    assert (tmp_path / "scratch" / "training_X.npy").stat().st_size < 200 * data.X.shape[1] * 4 + 256
    assert not data.X.flags.writeable


def test_a_class_that_is_held_out_entirely_is_told(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"x": [float(n) for n in range(10)], "y": ["no"] * 10}
    held = np.flatnonzero(holdout_mask(10, 0.3, 0))
    table["y"][held[0]] = "rare"
    with pytest.raises(InvalidRequest, match="'rare'") as refused:
        prepared(tmp_path, table, job_on(table, targets=["y"], holdout=0.3, holdout_by="random"))
    assert refused.value.code == "class_missing_in_training"


def test_a_target_that_varies_only_among_the_held_out_is_told(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"x": [float(n) for n in range(10)], "y": [0.1] * 10}
    table["y"][np.flatnonzero(holdout_mask(10, 0.3, 0))[0]] = 5.0
    with pytest.raises(InvalidRequest, match=r"'y' has the one value 0\.1") as refused:
        prepared(tmp_path, table, job_on(table, targets=["y"], holdout=0.3))
    assert refused.value.code == "constant_target_in_training"


def test_a_spread_too_small_for_double_precision_is_told(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"x": [0.0, 1e-200, 2e-200], "y": ["a", "b", "a"]}
    with pytest.raises(InvalidRequest) as refused:
        prepared(tmp_path, table, job_on(table, targets=["y"]))
    assert refused.value.code == "cannot_be_scaled"


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = people()
    job = job_on(table, targets=["grade"]).model_copy(update={"rows": 10**15})
    monkeypatch.setattr(preparation, "held_out_mask", lambda *_: np.zeros(1, np.bool_))
    with pytest.raises(TooLarge) as refused:
        prepared(tmp_path, table, job)
    assert refused.value.code == "scratch_full"
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_becomes_full_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_file: object, _rows: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(preparation._MatrixFile, "append", full)
    table = people()
    with pytest.raises(TooLarge) as refused:
        prepared(tmp_path, table, job_on(table, targets=["grade"]))
    assert refused.value.code == "scratch_full"


def with_gaps(rows: int = 200) -> dict[str, list[Any]]:
    """A table with a gap in every column but one."""
    rng = np.random.default_rng(11)
    table = people(rows)
    table["when"] = [datetime(2026, 1, 1) + timedelta(hours=5 * index) for index in range(rows)]  # noqa: DTZ001
    return {
        name: values if name == "age" else [None if rng.random() < 0.1 else value for value in values]
        for name, values in table.items()
    }


def gaps(table: Mapping[str, Sequence[Any]], *names: str) -> NDArray[np.bool_]:
    """The rows that lack a value in one of these columns."""
    return np.array([any(value is None for value in row) for row in zip(*(table[name] for name in names), strict=True)])


@pytest.mark.parametrize("missing", ["impute", "drop_rows"])
@pytest.mark.parametrize("batch_bytes", [None, 8 * 60])
@pytest.mark.parametrize("targets", [["grade"], ["height", "age"]])
def test_rows_with_gaps_are_imputed_or_left_out_and_counted(
    missing: str, batch_bytes: int | None, targets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if batch_bytes is not None:
        monkeypatch.setattr(coded_columns, "BATCH_BYTES", batch_bytes)
    table = with_gaps()
    job = job_on(table, targets=targets, missing=missing, holdout=0.25, holdout_by="random")
    data = prepared(tmp_path, table, job)
    without_target = gaps(table, *targets)
    left_out = gaps(table, *table) if missing == "drop_rows" else without_target
    used = np.flatnonzero(~left_out)
    held = holdout_mask(len(used), 0.25, job.training.seed)
    assert data.rows.model_dump() == {
        "dataset": 200,
        "target_missing": without_target.sum(),
        "input_missing": left_out.sum() - without_target.sum(),
        "training": (~held).sum(),
        "held_out": held.sum(),
        "held_out_dataset": None,
        "class_weight": None,
    }
    assert data.rows.target_missing > 0
    assert (len(data.X), len(data.Y)) == (data.rows.training, data.rows.training)
    assert np.isfinite(data.X).all()
    assert np.isfinite(data.Y).all()
    names = data.coding.inputs.unit_names
    ages = np.array(table["age"], dtype=float)[used[~held]]
    if "age" not in targets:
        np.testing.assert_allclose(data.X[:, names.index("age")], (ages - ages.mean()) / ages.std(), rtol=1e-9)
    told = [name for name in names if name.endswith(": missing")]
    if missing == "drop_rows":
        assert told == []
    else:
        inputs = [name for name in table if name != "age" and name not in targets]
        assert told == [f"{name}: missing" for name in inputs]
        for name in inputs:
            np.testing.assert_array_equal(
                data.X[:, names.index(f"{name}: missing")], gaps(table, name)[used[~held]].astype(float)
            )


def test_too_few_rows_without_gaps_are_told(tmp_path: Path) -> None:
    table = {"x": [1.0, None, 3.0], "y": [None, 2.0, 5.0], "z": [1.0, 2.0, None]}
    with pytest.raises(InvalidRequest, match="every column") as refused:
        prepared(tmp_path, table, job_on(table, targets=["y"], missing="drop_rows"))
    assert refused.value.code == "too_few_rows"
    table = {"x": [1.0, None, 3.0], "y": [None, 2.0, 5.0], "z": [1.0, 2.0, 4.0]}
    with pytest.raises(InvalidRequest, match="at least 2 rows") as refused:
        prepared(tmp_path, table, job_on(table, targets=["y"], missing="drop_rows", holdout=0.5))
    assert refused.value.code == "too_few_rows"
