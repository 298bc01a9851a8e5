"""scikit-learn's estimators: `BackpropClassifier`, `BackpropRegressor` and `BackpropAutoencoder`.

::

    from backprop_client.estimators import BackpropClassifier

    here = BackpropClassifier(hidden=(32,)).fit(X, y)                        # in this process
    there = BackpropClassifier(hidden=(32,), service=client).fit(X, y)       # by a service: the same bits

They need scikit-learn 1.9 or newer, and to train in this process the core:
``pip install 'backprop-client[local,sklearn]'``.
"""

from __future__ import annotations

try:
    import sklearn.callback  # noqa: F401  # whether it is there
except ImportError as error:
    raise ImportError(
        "backprop_client.estimators needs scikit-learn 1.9 or newer: pip install 'backprop-client[local,sklearn]'",
        name="sklearn",
    ) from error

from backprop_client.estimators.autoencoder import BackpropAutoencoder
from backprop_client.estimators.classifier import BackpropClassifier
from backprop_client.estimators.regressor import BackpropRegressor

__all__ = ["BackpropAutoencoder", "BackpropClassifier", "BackpropRegressor"]
