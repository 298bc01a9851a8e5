from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backprop.activations import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS
from infra.specs import HIDDEN_ONLY, Activation, InputColumn, JobSpec, NetworkSpec, TargetColumn, TrainingSpec

NETWORK: dict[str, Any] = {"layers": [{"units": 25, "activation": "tanh"}, {"activation": "sigmoid"}]}


def places(error: ValidationError) -> list[tuple[str | int, ...]]:
    return [each["loc"] for each in error.errors()]


def test_the_activations_are_those_of_the_core() -> None:
    assert set(get_args(Activation)) == (set(HIDDEN_ACTIVATIONS) | set(OUTPUT_ACTIVATIONS)) - {"softmax"}
    assert set(HIDDEN_ONLY) == set(HIDDEN_ACTIVATIONS) - set(OUTPUT_ACTIVATIONS)


def test_the_defaults_are_the_pages() -> None:
    training = JobSpec.model_validate({"dataset_id": "ds_1", "network": NETWORK}).training
    assert (training.init, training.epsilon, training.optimizer) == ("normal", 0.01, "gradient_descent")
    assert (training.weight_decay, training.seed, training.dtype) == (0.0, 0, "float64")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", "0.1"),
        ("learning_rate", True),
        ("learning_rate", None),
        ("weight_decay", -1e-9),
        ("weight_decay", float("nan")),
        ("epsilon", 0),
        ("epsilon", float("inf")),
        ("iterations", -1),
        ("iterations", 10_000_001),
        ("iterations", 1.5),
        ("iterations", "10"),
        ("iterations", True),
        ("seed", -1),
        ("seed", 2**63),
        ("init", "zeros"),
        ("dtype", "float16"),
        ("optimizer", "magic"),
        ("momentumm", 0.9),
    ],
)
def test_a_training_value_out_of_bounds_is_refused_in_its_place(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingSpec.model_validate({field: value})
    assert places(refused.value) == [(field,)]


@pytest.mark.parametrize("value", [10, 10.0])
def test_a_whole_number_may_be_written_as_a_float(value: float) -> None:
    assert TrainingSpec.model_validate({"iterations": value}).iterations == 10


@pytest.mark.parametrize(
    ("layers", "place"),
    [
        ([], ("layers",)),
        ([{}] * 101, ("layers",)),
        ([{"units": 0}, {}], ("layers", 0, "units")),
        ([{"units": 1_000_000_001}, {}], ("layers", 0, "units")),
        ([{"units": 3, "activation": "softsign"}, {}], ("layers", 0, "activation")),
        ([{"units": 3, "bias": False}, {}], ("layers", 0, "bias")),
        ([{}, {}], ("layers",)),
        ([{"units": 3}, {"activation": "relu"}], ("layers",)),
    ],
)
def test_a_network_that_cannot_be_is_refused_in_its_place(layers: list[Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        NetworkSpec.model_validate({"layers": layers})
    assert place in places(refused.value)


def test_an_unknown_activation_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="'sigmoid', 'tanh', 'relu' or 'linear'"):
        NetworkSpec.model_validate({"layers": [{"activation": "softsign"}]})


@pytest.mark.parametrize(
    "job",
    [
        {"network": NETWORK},
        {"dataset_id": "ds_1"},
        {"dataset_id": "ds_1", "network": NETWORK, "network_id": "net_1"},
        {"dataset_id": "ds 1\x00", "network": NETWORK},
        {"dataset_id": "ds_1", "network": NETWORK, "inputs": []},
        {"dataset_id": "ds_1", "network": NETWORK, "targets": []},
        {"dataset_id": "ds_1", "network": NETWORK, "targets": "price"},
        {"dataset_id": "ds_1", "network": NETWORK, "targets": ["\ud800"]},
        {"dataset_id": "ds_1", "network": NETWORK, "holdout": 1},
        {"dataset_id": "ds_1", "network": NETWORK, "holdout": -0.1},
        {"dataset_id": "ds_1", "network": NETWORK, "holdout": float("nan")},
        {"dataset_id": "ds_1", "network": NETWORK, "task": "clustering"},
        {"dataset_id": "ds_1", "network": NETWORK, "epochs": 3},
    ],
)
def test_a_job_that_cannot_be_is_refused(job: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobSpec.model_validate(job)


@given(
    st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4)
    | st.sets(st.booleans(), min_size=1)
    | st.sets(st.text(max_size=4), min_size=1, max_size=4)
)
def test_classes_keep_their_type_through_json(found: set[Any]) -> None:
    classes = tuple(sorted(found))
    target = TargetColumn.model_validate({"name": "y", "type": "integer", "classes": classes})
    stored = json.loads(json.dumps(target.model_dump(mode="json")))
    assert [(type(label), label) for label in TargetColumn.model_validate(stored).classes or ()] == [
        (type(label), label) for label in classes
    ]


def test_specs_cannot_be_changed() -> None:
    column = InputColumn(name="x", type="number")
    with pytest.raises(ValidationError):
        column.name = "y"  # type: ignore[misc]
