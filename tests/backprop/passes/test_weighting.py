from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.network import Layer, Network
from backprop.objective import Objective
from backprop.passes.usual import usual_pass
from backprop.passes.weighting import of_mean_one


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=20).filter(lambda weights: max(weights) > 0))
def test_the_mean_is_one_and_the_ratios_are_kept(weights: list[float]) -> None:
    w = of_mean_one(np.array(weights), len(weights), "float64")
    assert w.mean() == pytest.approx(1)
    largest = int(np.argmax(weights))
    np.testing.assert_allclose(w / w[largest], np.array(weights) / weights[largest], atol=1e-300)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m", [1, 3, 7, 1000])
def test_equal_weights_are_exactly_one(m: int, dtype: str) -> None:
    w = of_mean_one(np.full(m, 0.1), m, dtype)
    assert w.dtype == dtype
    assert (w == 1).all()


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1.0, 2.0], "for each of the 3"),
        ([1.0, -1.0, 2.0], "from 0 up"),
        ([1.0, np.inf, 2.0], "finite"),
        ([1.0, np.nan, 2.0], "finite"),
        ([0.0, 0.0, 0.0], "above 0"),
    ],
)
def test_what_are_no_weights_is_refused(weights: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        of_mean_one(np.array(weights), 3, "float64")
    network = Network(2, (Layer(1, "linear"),))
    for name in ("weights", "weights_held"):
        with pytest.raises(ValueError, match=says):
            usual_pass(
                network,
                np.zeros((3, 2)),
                np.zeros((3, 1)),
                Objective(),
                X_held=np.zeros((3, 2)),
                Y_held=np.zeros((3, 1)),
                **{name: np.array(weights)},  # type: ignore[arg-type]
            )
