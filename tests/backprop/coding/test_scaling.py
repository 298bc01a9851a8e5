from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from backprop.coding.columns import Floats
from backprop.coding.scaling import CannotBeScaled, Range, Scaler
from tests.support.columns import statistics_of

SIGMOID: Range = (0.0, 1.0)
TANH: Range = (-1.0, 1.0)

# Multiples of 1/64 keep columns either exactly constant or spread well beyond rounding, where scikit-learn's
# tolerance for "constant" and our exact test agree.
TABLES = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.integers(-6400, 6400).map(lambda n: n / 64),
)


@given(TABLES)
def test_standardizing_agrees_with_scikit_learn(table: Floats) -> None:
    ours = Scaler.standardizing(statistics_of(table)).encode(table)
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(table), rtol=1e-9, atol=1e-9)


@given(TABLES, st.sampled_from([SIGMOID, TANH]))
def test_into_a_range_agrees_with_scikit_learn(table: Floats, bounds: Range) -> None:
    statistics = statistics_of(table)
    ours = Scaler.into_range(statistics, bounds).encode(table)
    theirs = MinMaxScaler(bounds).fit_transform(table)
    varied = ~statistics.constant
    np.testing.assert_allclose(ours[:, varied], theirs[:, varied], rtol=1e-9, atol=1e-9)
    assert not ours[:, ~varied].any()


@given(TABLES, st.sampled_from(["standardize", "sigmoid", "tanh", "none"]))
def test_decoding_undoes_encoding(table: Floats, how: str) -> None:
    statistics = statistics_of(table)
    scaler = {
        "standardize": Scaler.standardizing(statistics),
        "sigmoid": Scaler.into_range(statistics, SIGMOID),
        "tanh": Scaler.into_range(statistics, TANH),
        "none": Scaler.identity(table.shape[1]),
    }[how]
    np.testing.assert_allclose(scaler.decode(scaler.encode(table)), table, rtol=1e-12, atol=1e-12)
    stored = json.loads(json.dumps(scaler.to_json()))
    assert Scaler.from_json(stored) == scaler


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [0.0, 1e200], [0.0, 1e-200]])
def test_refuses_a_spread_that_double_precision_cannot_scale(values: list[float]) -> None:
    statistics = statistics_of(np.array(values)[:, np.newaxis])
    with pytest.raises(CannotBeScaled, match="column 0"):
        Scaler.standardizing(statistics)


def test_refuses_a_range_that_overflows() -> None:
    with pytest.raises(CannotBeScaled, match="column 0"):
        Scaler.into_range(statistics_of(np.array([[-1.7e308], [1.7e308]])), SIGMOID)
