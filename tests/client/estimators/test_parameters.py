"""Parameters that cannot be meant are refused by their names, before anything is trained or sent."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from backprop_client.estimators import BackpropAutoencoder, BackpropClassifier, BackpropRegressor
from backprop_client.wire.specs import TrainingSpec

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 4))
LABELS = (X[:, 0] > 0).astype(int)

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hidden": "32"}, "hidden is the units"),
    ({"hidden": 2.5}, "hidden is the units"),
    ({"hidden": [8, 0]}, "hidden is the units"),
    ({"hidden": True}, "hidden is the units"),
    ({"hidden": [2] * 100}, "hidden: must have at most 100"),
    ({"activation": "gelu"}, "activation: Input should be 'sigmoid', 'tanh'"),
    ({"output": "gelu"}, "output: Input should be 'sigmoid', 'tanh'"),
    ({"hidden": (), "output": "gelu"}, "output: Input should be"),
    ({"cost": "hinge"}, "cost: Input should be 'squared_error'"),
    ({"optimizer": "sgd"}, "optimizer: Input should be 'gradient_descent'"),
    ({"learning_rate": 0}, "learning_rate: Input should be greater than 0"),
    ({"optimizer": "lbfgs", "learning_rate": 0.1}, "learning_rate: lbfgs has no learning_rate"),
    ({"momentum": 1}, "momentum: Input should be less than 1"),
    ({"corrections": 0}, "corrections: Input should be"),
    ({"weight_decay": -1}, "weight_decay: Input should be"),
    ({"sparsity_weight": "high"}, "sparsity_weight: must be a number"),
    ({"iterations": 1.5}, "iterations: Input should be a valid integer"),
    ({"iterations": 3, "epochs": 3}, "iterations or epochs, and not both"),
    ({"batch_size": 0}, "batch_size: Input should be"),
    ({"batch_size": 8, "tolerance": 0.1}, "tolerance"),
    ({"holdout": 1}, "holdout: Input should be less than 1"),
    ({"holdout": None}, "holdout: Input should be a valid number"),
    ({"patience": 3}, "patience looks at the cost of held-out rows"),
    ({"held_out_every": 3}, "held_out_every measures held-out rows"),
    ({"holdout": 0.2, "patience": 0}, "patience: Input should be"),
    ({"scaling": "robust"}, "scaling: Input should be 'standardize'"),
    ({"init": "zeros"}, "init: Input should be"),
    ({"epsilon": -1}, "epsilon: Input should be"),
    ({"dtype": np.float16}, "dtype: Input should be 'float64' or 'float32'"),
    ({"random_state": -1}, "random_state: Input should be"),
    ({"random_state": "one"}, "'one' cannot be used to seed"),
    ({"n_threads": 0}, "n_threads is a whole number from 1 up"),
    ({"n_threads": "all"}, "n_threads is a whole number from 1 up"),
    ({"class_weight": "auto"}, "class_weight is a dict"),
    ({"class_weight": {0: -1}}, "finite numbers from 0 up"),
    ({"class_weight": {0: "heavy"}}, "class_weight has something that is no number"),
    ({"class_weight": {2: 3.0, 0: 1.0}}, "names 2, which is no class, and lacks 1"),
    ({"optimizer": "gradient_descent", "learning_rate": 1e9}, "J is not a finite number at iteration"),
]


@pytest.mark.parametrize(("parameters", "says"), WRONG, ids=[str(parameters) for parameters, _ in WRONG])
def test_what_cannot_be_meant_is_refused_by_its_name(parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        BackpropClassifier(**parameters).fit(X, LABELS)
    assert not re.search(r"training\.|network\.|Value error", str(refused.value))


def test_a_service_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="address of a service, not int"):
        BackpropClassifier(service=8000).fit(X, LABELS)


def test_rows_that_cannot_be_trained_with_are_refused() -> None:
    with pytest.raises(ValueError, match="one class only, 7"):
        BackpropClassifier().fit(X, np.full(60, 7))
    far_apart = np.zeros(60)
    far_apart[:2] = 1.5e308, -1.5e308
    with pytest.raises(ValueError, match="cannot be learned from"):
        BackpropRegressor().fit(X, far_apart)


def test_numbers_of_numpy_are_numbers() -> None:
    told: dict[str, Any] = {"hidden": np.int64(4), "iterations": np.int32(5), "weight_decay": np.float32(0.5)}
    plain: dict[str, Any] = {"hidden": (4,), "iterations": 5, "weight_decay": 0.5}
    one, other = (BackpropClassifier(**said, holdout=np.float64(0.25)).fit(X, LABELS) for said in (told, plain))
    assert one.loss_curve_ == other.loss_curve_


def test_a_random_state_decides_the_bits() -> None:
    def fitted(random_state: Any) -> Any:
        return BackpropRegressor(hidden=4, iterations=3, random_state=random_state).fit(X, X[:, 0])

    assert fitted(3).loss_curve_ == fitted(np.int64(3)).loss_curve_ != fitted(4).loss_curve_
    assert fitted(3).seed_ == 3
    generator = np.random.RandomState(3)
    first, second = fitted(generator), fitted(generator)
    assert first.seed_ != second.seed_
    assert first.loss_curve_ == fitted(first.seed_).loss_curve_
    assert fitted(None).seed_ != fitted(None).seed_


def test_threads_change_nothing() -> None:
    rows = RNG.normal(size=(6000, 3))
    one, two = (
        BackpropRegressor(hidden=8, epochs=1, n_threads=threads).fit(rows, rows[:, 0] ** 2) for threads in (1, 2)
    )
    assert one.loss_curve_ == two.loss_curve_


@pytest.mark.parametrize("kind", [BackpropClassifier, BackpropRegressor, BackpropAutoencoder])
def test_whatever_a_training_may_say_is_a_parameter(kind: type) -> None:
    """But for the preset, which is `auto`, and the seed, which scikit-learn calls `random_state`."""
    assert set(TrainingSpec.model_fields) - set(inspect.signature(kind).parameters) == {"preset", "seed"}


BARE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
try:
    from backprop_client.estimators import BackpropRegressor
    BackpropRegressor().fit([[1.0], [2.0]], [1.0, 2.0])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("absent", "says"),
    [
        ("sklearn", "needs scikit-learn 1.9 or newer: pip install 'backprop-client[local,sklearn]'"),
        ("backprop", "Training in this process needs the core: pip install 'backprop-client[local]'"),
    ],
)
def test_what_is_not_installed_is_said(absent: str, says: str) -> None:
    done = subprocess.run([sys.executable, "-c", BARE, absent], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().endswith(says)
