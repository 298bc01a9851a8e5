"""Fit the network 64-32-10 to the digits and write it down for the server that is measured.

Runs in that server's own environment, which may have another scikit-learn than others::

    python benchmarks/predictions/fitting.py model.joblib
"""

from __future__ import annotations

import sys
import warnings

import joblib
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier


def main() -> None:
    """Fit it once. How well is of no interest, as long as it is better than chance."""
    X, y = load_digits(return_X_y=True)
    warnings.simplefilter("ignore")
    joblib.dump(MLPClassifier(hidden_layer_sizes=(32,), max_iter=60, random_state=0).fit(X, y), sys.argv[1])


if __name__ == "__main__":
    main()
