from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from backprop.coding.columns import Array
from backprop.coding.inputs import CodedColumn, InputCoding
from backprop.coding.scaling import Scaler, Scaling
from tests.support.columns import as_column, statistics_of

COLOURS = ("blue", "green", "red")
FEATURES = (
    CodedColumn("age"),
    CodedColumn("colour", COLOURS),
    CodedColumn("height"),
    CodedColumn("member", (False, True)),
)


def a_batch(seed: int = 0, rows: int = 20) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        "age": rng.integers(18, 90, rows),
        "colour": as_column(rng.choice(COLOURS, rows).tolist()),
        "height": rng.normal(170, 10, rows),
        "member": rng.random(rows) < 0.5,
    }


def fitted(batch: dict[str, Array], scaling: Scaling = "standardize") -> InputCoding:
    numbers = np.column_stack([batch["age"], batch["height"]]).astype(float)
    return InputCoding.fit(FEATURES, statistics_of(numbers), scaling)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_scikit_learn_column_by_column(dtype: type[Any]) -> None:
    batch = a_batch()
    X = fitted(batch).encode(batch, dtype)
    one_hot = OneHotEncoder(sparse_output=False)
    expected = np.hstack(
        [
            StandardScaler().fit_transform(batch["age"].reshape(-1, 1)),
            one_hot.fit_transform(batch["colour"].reshape(-1, 1)),
            StandardScaler().fit_transform(batch["height"].reshape(-1, 1)),
            one_hot.fit_transform(batch["member"].reshape(-1, 1)),
        ]
    )
    np.testing.assert_allclose(X, expected, rtol=1e-6 if dtype is np.float32 else 1e-12, atol=1e-12)
    assert X.dtype == dtype
    assert X.flags.c_contiguous


def test_numbers_only_are_coded_contiguously_and_in_order() -> None:
    table = np.arange(12.0).reshape(4, 3)
    coding = InputCoding.fit(tuple(map(CodedColumn, "abc")), statistics_of(table), "none")
    X = coding.encode(dict(zip("abc", table.T, strict=True)))
    np.testing.assert_array_equal(X, table)
    assert X.flags.c_contiguous


def test_names_each_unit() -> None:
    coding = fitted(a_batch())
    names = ["age", "colour=blue", "colour=green", "colour=red", "height", "member=False", "member=True"]
    assert coding.unit_names == names
    assert coding.width == 7


@given(st.integers(0, 10_000), st.sampled_from(["standardize", "min_max", "none"]))
def test_decoding_gives_the_columns_back(seed: int, scaling: Scaling) -> None:
    batch = a_batch(seed)
    coding = fitted(batch, scaling)
    decoded = coding.decode(coding.encode(batch))
    assert list(decoded) == list(batch)
    for name, values in batch.items():
        if values.dtype.kind in "if":
            np.testing.assert_allclose(decoded[name], values, rtol=1e-12)
        else:
            assert decoded[name].tolist() == values.tolist()


def test_refuses_a_category_never_seen() -> None:
    batch = a_batch()
    coding = fitted(batch)
    with pytest.raises(ValueError, match="'mauve'"):
        coding.encode({**batch, "colour": as_column(["mauve"] * 20)})


def test_a_number_beyond_float32_becomes_infinite_without_a_warning() -> None:
    coding = InputCoding((CodedColumn("x"),), Scaler.identity(1))
    assert np.isposinf(coding.encode({"x": np.array([1e300])}, np.float32)).all()
