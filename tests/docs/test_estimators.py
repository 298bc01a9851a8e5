"""The estimators' page names each parameter with its default, and each attribute."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor

ESTIMATORS = (BackpropClassifier, BackpropRegressor, BackpropAutoencoder)
PAGE = (Path(__file__).parents[2] / "docs/estimators.md").read_text()


def test_parameters_are_told_with_their_defaults() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE, re.MULTILINE))
    for kind in ESTIMATORS:
        parameters = inspect.signature(kind).parameters
        known = {name: str(parameter.default) for name, parameter in parameters.items()}
        for_all = {name: default for name, default in told.items() if name != "class_weight" or name in known}
        assert known == for_all, kind
    assert list(inspect.signature(BackpropClassifier).parameters) == list(told)


def test_attributes_are_told() -> None:
    section = PAGE.partition("## Attributes")[2].partition("## What they do")[0]
    told = {name for row in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for name in re.findall(r"\w+_\b", row)}
    X = np.random.default_rng(0).normal(size=(20, 2))
    fitted = BackpropClassifier(iterations=1).fit(X, X[:, 0] > 0)
    shown = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    assert told - {"job_id_", "model_id_", "dataset_id_", "feature_names_in_"} == shown
