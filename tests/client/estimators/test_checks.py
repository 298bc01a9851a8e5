"""scikit-learn's own checks of estimators, all of them: none is expected to fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        BackpropClassifier(),
        BackpropRegressor(),
        BackpropAutoencoder(),
        BackpropClassifier(output="sigmoid", cost="cross_entropy"),
        BackpropRegressor(warm_start=True),
        BackpropAutoencoder(output="sigmoid", cost="cross_entropy"),
    ]
)
def test_checks(estimator: object, check: Callable[[object], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else scikit-learn skips the check of arrays of the array API
    check(estimator)
