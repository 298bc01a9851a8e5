from __future__ import annotations

import numpy as np
import pytest

from backprop.metrics.known import finite, mean_of_known, of_classes, quotients


def test_what_is_not_finite_is_not_known() -> None:
    assert [finite(value) for value in (1.5, np.inf, -np.inf, np.nan)] == [1.5, None, None, None]


def test_quotients_that_are_not_defined_are_not_known() -> None:
    above, below = np.array([1.0, 0.0, 1.0, 1e300]), np.array([4.0, 0.0, 0.0, 1e-300])
    assert quotients(above, below) == [0.25, None, None, None]


@pytest.mark.parametrize(("values", "mean"), [([1.0, None, 2.0], 1.5), ([None], None), ([], None)])
def test_the_mean_is_of_what_is_known(values: list[float | None], mean: float | None) -> None:
    assert mean_of_known(values) == mean
    assert of_classes(values) == {"mean": mean, "by_class": values}


def test_a_mean_beyond_double_precision_is_not_known() -> None:
    assert mean_of_known([1e308, 1e308]) is None
