"""Run with the wheels of core and client, scikit-learn and what its checks need: all of them, on all estimators::

SCIPY_ARRAY_API=1 python check_estimators.py
"""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
from sklearn.utils.estimator_checks import check_estimator

import backprop
import backprop_client
from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

FROM_A_PICKLE = "import pickle, sys; print(pickle.load(sys.stdin.buffer).predict([[0.5, 1.0]]).tolist())"


def main() -> None:
    """Fail unless every check passes, and none is skipped."""
    for package in (backprop, backprop_client):
        assert "site-packages" in (package.__file__ or ""), f"{package.__name__} is not the wheel's"
    for estimator in (BackpropClassifier(), BackpropRegressor(), BackpropAutoencoder()):
        results = check_estimator(estimator)
        left = [(each["check_name"], each["status"]) for each in results if each["status"] != "passed"]
        assert not left, left
        sys.stdout.write(f"{type(estimator).__name__}: {len(results)} checks\n")
    a_pickle_answers_in_another_process()


def a_pickle_answers_in_another_process() -> None:
    """As it answers in this one."""
    X = np.random.default_rng(0).normal(size=(50, 2))
    fitted = BackpropRegressor(hidden=3, iterations=5).fit(X, X[:, 0] * X[:, 1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FROM_A_PICKLE],
        input=pickle.dumps(fitted),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == str(fitted.predict([[0.5, 1.0]]).tolist())


main()
