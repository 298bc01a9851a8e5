from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backprop.activations import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS
from backprop.costs import COST_FUNCTIONS
from backprop.optimizers.table import OPTIMIZERS
from backprop.training import Training
from backprop_client.wire.resolved_jobs import InputColumn, TargetColumn
from backprop_client.wire.specs import (
    HIDDEN_ONLY,
    OPTIMIZER_FIELDS,
    OPTIMIZERS_WITH,
    OUTPUT_ONLY,
    Activation,
    CostName,
    HeldOutRows,
    JobSpec,
    NetworkSpec,
    Optimizer,
    TrainingSpec,
)
from domain.jobs.translation import training_of

NETWORK: dict[str, Any] = {"layers": [{"units": 25, "activation": "tanh"}, {"activation": "sigmoid"}]}


def places(error: ValidationError) -> list[tuple[str | int, ...]]:
    return [each["loc"] for each in error.errors()]


def test_the_activations_are_those_of_the_core() -> None:
    assert set(get_args(Activation)) == set(HIDDEN_ACTIVATIONS) | set(OUTPUT_ACTIVATIONS)
    assert set(OUTPUT_ONLY) == set(OUTPUT_ACTIVATIONS) - set(HIDDEN_ACTIVATIONS)
    assert set(HIDDEN_ONLY) == set(HIDDEN_ACTIVATIONS) - set(OUTPUT_ACTIVATIONS)


def test_the_optimizers_their_fields_and_defaults_are_those_of_the_core() -> None:
    assert get_args(Optimizer) == tuple(OPTIMIZERS)
    assert {name: dict(kind.fields) for name, kind in OPTIMIZERS.items()} == OPTIMIZER_FIELDS
    assert set(OPTIMIZERS_WITH) == {field for fields in OPTIMIZER_FIELDS.values() for field in fields}


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_an_optimizers_fields_get_its_defaults(optimizer: Optimizer) -> None:
    resolved = TrainingSpec.model_validate({"optimizer": optimizer}).with_defaults("sigmoid")
    for field in OPTIMIZERS_WITH:
        assert getattr(resolved, field) == OPTIMIZERS[optimizer].fields.get(field)


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
        ("weight_decay", -1e-9),
        ("weight_decay", float("nan")),
        ("epsilon", 0),
        ("epsilon", float("inf")),
        ("iterations", -1),
        ("iterations", 1_000_000_001),
        ("iterations", 1.5),
        ("iterations", "10"),
        ("iterations", True),
        ("seed", -1),
        ("seed", 2**63),
        ("init", "zeros"),
        ("dtype", "float16"),
        ("optimizer", "magic"),
        ("momentum", 1),
        ("corrections", 0),
        ("corrections", 1001),
        ("batch_size", 0),
        ("cost", "hinge"),
        ("sparsity", 0),
        ("sparsity", 1),
        ("sparsity", 0.05),
        ("sparsity_weight", -1),
        ("tolerance", -1e-9),
        ("patience", 0),
        ("held_out_every", 0),
        ("held_out_every", 1.5),
        ("epochs", -1),
        ("epochs", True),
        ("momentumm", 0.9),
    ],
)
def test_a_training_value_out_of_bounds_is_refused_in_its_place(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingSpec.model_validate({field: value})
    assert places(refused.value) == [(field,)]


@pytest.mark.parametrize("optimizer", get_args(Optimizer))
@pytest.mark.parametrize(
    ("field", "value"), [("learning_rate", 0.5), ("momentum", 0.5), ("corrections", 3), ("batch_size", 3)]
)
def test_a_field_that_the_optimizer_would_not_read_is_refused(optimizer: Optimizer, field: str, value: float) -> None:
    body = {"optimizer": optimizer, field: value}
    if optimizer in OPTIMIZERS_WITH[field]:
        assert getattr(training_of(TrainingSpec.model_validate(body).with_defaults("sigmoid")), field) == value
    else:
        with pytest.raises(ValidationError, match=f"{optimizer} has no {field}") as refused:
            TrainingSpec.model_validate(body)
        assert places(refused.value) == [(field,)]


@pytest.mark.parametrize(
    ("training", "place"),
    [
        ({"sparsity": 0.05, "sparsity_weight": 0}, ("sparsity",)),
        ({"tolerance": 0.1, "batch_size": 10}, ("tolerance",)),
    ],
)
def test_fields_that_contradict_each_other_are_refused(training: dict[str, Any], place: tuple[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        TrainingSpec.model_validate(training)
    assert places(refused.value) == [place]


def test_the_core_is_given_everything_under_the_same_name() -> None:
    assert {field.name for field in dataclasses.fields(Training)} <= set(TrainingSpec.model_fields)
    assert set(get_args(CostName)) == set(COST_FUNCTIONS)
    every: dict[str, Any] = {
        "iterations": 7,
        "optimizer": "momentum",
        "learning_rate": 0.25,
        "weight_decay": 0.5,
        "momentum": 0.75,
        "batch_size": 3,
        "seed": 11,
        "cost": "cross_entropy",
        "sparsity": 0.125,
        "sparsity_weight": 3.0,
        "patience": 4,
    }
    assert training_of(TrainingSpec.model_validate(every)) == Training(**every)


@given(
    st.fixed_dictionaries(
        {"optimizer": st.sampled_from(get_args(Optimizer))},
        optional={"sparsity_weight": st.sampled_from([0, 3]), "patience": st.just(5), "tolerance": st.just(0.5)},
    ),
    st.sampled_from(["sigmoid", "softmax"]),
)
def test_defaults_fill_in_what_applies_and_nothing_else(training: dict[str, Any], output: Activation) -> None:
    resolved = TrainingSpec.model_validate(training).with_defaults(output)
    for name, takers in OPTIMIZERS_WITH.items():
        if name != "batch_size":
            assert (getattr(resolved, name) is not None) == (resolved.optimizer in takers)
    assert (resolved.sparsity is not None) == (resolved.sparsity_weight > 0)
    assert resolved.cost == ("cross_entropy" if output == "softmax" else "squared_error")
    assert TrainingSpec.model_validate(resolved.model_dump(mode="json")) == resolved
    training_of(resolved)


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
        ([{"units": 3, "activation": "softmax"}, {}], ("layers",)),
    ],
)
def test_a_network_that_cannot_be_is_refused_in_its_place(layers: list[Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        NetworkSpec.model_validate({"layers": layers})
    assert place in places(refused.value)


def test_an_unknown_activation_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="'sigmoid', 'tanh', 'relu', 'linear' or 'softmax'"):
        NetworkSpec.model_validate({"layers": [{"activation": "softsign"}]})


@pytest.mark.parametrize(
    "job",
    [
        {"network": NETWORK},
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
        *(
            {"dataset_id": "ds_1", "network": NETWORK, "holdout_by": by}
            for by in ("random", "stratified", {"dataset_id": "ds_1"}, {"column": "a", "value": float("inf")}, ["a"])
        ),
        *(
            {"dataset_id": "ds_1", "network": NETWORK, "holdout": 0.2, "holdout_by": by}
            for by in (
                "class",
                {"column": "a"},
                {"column": "a", "value": None},
                {"column": "a", "value": [1]},
                {"column": "a", "value": 1},
                {"dataset_id": "ds_2"},
                {"dataset_id": "ds 2"},
                {"dataset_id": "ds_2", "column": "a", "value": 1},
            )
        ),
    ],
)
def test_a_job_that_cannot_be_is_refused(job: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobSpec.model_validate(job)


@pytest.mark.parametrize("by", ["stratify", {"column": "a"}, {"column": "a", "value": []}, 7, None])
def test_what_is_possible_is_said_once(by: object) -> None:
    job = {"dataset_id": "ds_1", "network": NETWORK, "holdout": 0.1, "holdout_by": by}
    if by is None:
        assert JobSpec.model_validate(job).holdout_by is None
        return
    with pytest.raises(ValidationError, match='must be "random", "stratified"') as refused:
        JobSpec.model_validate(job)
    assert places(refused.value) == [("holdout_by",)]


@pytest.mark.parametrize("value", ["x", "", True, 3, 3.0, -2.5])
def test_the_value_to_hold_out_by_keeps_its_type_through_json(value: object) -> None:
    job = {"dataset_id": "ds_1", "network": NETWORK, "holdout_by": {"column": "a", "value": value}}
    found = JobSpec.model_validate_json(JobSpec.model_validate(job).model_dump_json()).holdout_by
    assert isinstance(found, HeldOutRows)
    assert (type(found.value), found.value) == (type(value), value)


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ("balanced", "balanced"),
        ({"a": 1, "b": 2.5}, [{"class": "a", "weight": 1.0}, {"class": "b", "weight": 2.5}]),
        ([{"class": True, "weight": 0}], [{"class": True, "weight": 0.0}]),
        ([{"class": 7, "weight": 3}], [{"class": 7, "weight": 3.0}]),
    ],
)
def test_classes_are_weighed_by_name_or_in_a_list(given: object, listed: object) -> None:
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "network": NETWORK, "class_weight": given})
    assert json.loads(spec.model_dump_json())["class_weight"] == listed
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    "given",
    [
        "even",
        {},
        [],
        {"a": -1},
        {"a": "1"},
        {"a": True},
        {"a": float("nan")},
        {"a": 1e101},
        [{"class": "a"}],
        [{"class": None, "weight": 1}],
        [{"class": 1.5, "weight": 1}],
        ["a"],
        3,
        {str(index): 1 for index in range(1001)},
    ],
)
def test_what_are_no_weights_of_classes_is_said_once(given: object) -> None:
    with pytest.raises(ValidationError, match='must be "balanced", an object') as refused:
        JobSpec.model_validate({"dataset_id": "ds_1", "network": NETWORK, "class_weight": given})
    assert places(refused.value) == [("class_weight",)]


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
