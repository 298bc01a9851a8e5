from __future__ import annotations

from typing import Any

import pytest

from backprop_client.wire.presets import FEW_ROWS, Situation
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import JobSpec, NetworkSpec, Task, TrainingSpec
from domain.jobs.planning import plan
from infra.errors import InvalidRequest
from infra.settings import Settings
from tests.support.tables import column_of, people

COLUMNS = tuple(column_of(name, values) for name, values in people(100).items())


def planned(rows: int = 100, **job: object) -> ResolvedJob:
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "targets": ["height"], **job})
    return plan(spec, spec.network, COLUMNS, rows, Settings())


def activations(network: NetworkSpec) -> list[str | None]:
    return [layer.activation for layer in network.layers]


@pytest.mark.parametrize("targets", [["height"], ["colour"], ["member"]])
def test_the_tutorial_is_the_page_to_the_letter(targets: list[str]) -> None:
    job = planned(targets=targets, network={"layers": [{"units": 7}, {}]}, training={"preset": "tutorial"})
    assert activations(job.network) == ["sigmoid", "sigmoid"]
    training = job.training
    assert (training.optimizer, training.learning_rate, training.iterations) == ("gradient_descent", 1.0, 400)
    assert (training.init, training.epsilon, training.weight_decay) == ("normal", 0.01, 0.0)
    assert (training.cost, training.dtype, training.batch_size) == ("squared_error", "float64", None)
    assert job.selection is None


@pytest.mark.parametrize(("targets", "output"), [(["height"], "linear"), (["colour"], "softmax")])
def test_auto_with_few_rows(targets: list[str], output: str) -> None:
    job = planned(targets=targets)
    assert activations(job.network) == ["tanh", output]
    training = job.training
    assert (training.optimizer, training.corrections, training.iterations) == ("lbfgs", 20, 100)
    assert (training.init, training.dtype) == ("uniform", "float64")
    assert job.selection is not None
    assert (job.selection.folds, job.selection.parts, job.selection.rows) == (5, 5, 100)
    assert [len(candidate.layers) for candidate in job.selection.candidates] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert job.sizes[1:-1] == (8,)


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        (2_000, {"tanh": [1e-3, 1e-2, 3e-2, 1e-1]}),
        (2_001, {"tanh": [1e-3, 1e-2], "relu": [1e-3, 3e-3, 1e-2]}),
        (FEW_ROWS, {"tanh": [1e-3, 1e-2], "relu": [1e-3, 3e-3, 1e-2]}),
    ],
)
def test_with_some_thousand_rows_relu_units_are_tried_beside_tanh(rows: int, hidden: dict[str, list[float]]) -> None:
    job = planned(rows=rows)
    assert job.selection is not None
    tried: dict[str | None, list[float]] = {}
    for candidate in job.selection.candidates:
        activation = candidate.layers[0].activation if len(candidate.layers) > 1 else None
        tried.setdefault(activation, []).append(candidate.weight_decay)
        assert [layer.units for layer in candidate.layers[:-1]] == ([] if activation is None else [64])
    assert tried.pop(None) == [1e-4, 1e-3, 1e-2, 1e-1]
    assert tried == hidden


def test_auto_with_many_rows() -> None:
    job = planned(rows=FEW_ROWS + 1)
    assert activations(job.network) == ["relu", "relu", "linear"]
    assert (job.training.optimizer, job.training.batch_size, job.training.dtype) == ("adam", 200, "float32")
    assert job.selection is not None
    assert (job.selection.folds, job.selection.parts) == (1, 10)
    assert job.selection.tells_iterations
    hidden = [[layer.units for layer in candidate.layers[:-1]] for candidate in job.selection.candidates]
    assert hidden == [[], [64], [64, 64]]


def test_a_tolerance_needs_all_rows_at_every_update() -> None:
    job = planned(rows=FEW_ROWS + 1, training={"tolerance": 1e-3})
    assert (job.training.optimizer, job.training.iterations, job.training.epochs) == ("lbfgs", 100, None)
    assert job.selection is not None
    assert not job.selection.tells_iterations


def test_with_many_classes_the_candidate_without_hidden_units_may_be_the_largest() -> None:
    job = planned(targets=["age"], task="classification", rows=160)
    assert job.selection is not None
    inputs, outputs = job.sizes[0], job.sizes[-1]
    parameters = [(inputs + 1) * outputs, (inputs + 1) * 8 + 9 * outputs]
    assert job.parameters == max(parameters)


def test_what_auto_chooses_is_within_the_servers_limit() -> None:
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "targets": ["height"]})
    assert plan(spec, None, COLUMNS, 100, Settings(max_iterations=30)).training.iterations == 30


def test_a_network_that_is_given_is_tried_with_several_decays_only() -> None:
    job = planned(network={"layers": [{"units": 32}, {}]})
    assert job.selection is not None
    assert {candidate.layers for candidate in job.selection.candidates} == {job.network.layers}
    assert [candidate.weight_decay for candidate in job.selection.candidates] == [1e-3, 1e-2, 3e-2, 1e-1]


def test_a_decay_that_is_given_is_not_varied() -> None:
    job = planned(training={"weight_decay": 0.5})
    assert job.selection is not None
    assert [candidate.weight_decay for candidate in job.selection.candidates] == [0.5, 0.5]
    some_thousand = planned(rows=3_000, training={"weight_decay": 0.5}).selection
    assert some_thousand is not None
    assert [candidate.weight_decay for candidate in some_thousand.candidates] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    "job",
    [
        {"network": {"layers": [{"units": 3}, {}]}, "training": {"weight_decay": 0.1}},
        {"network": {"layers": [{"units": 3}, {}]}, "training": {"optimizer": "adam"}},
        {"network": {"layers": [{"units": 3}, {}]}, "training": {"learning_rate": 0.1}},
        {"network": {"layers": [{"units": 3}, {}]}, "select": False},
        {"select": False},
        {"network": {"layers": [{"units": 3}, {}]}, "task": "reconstruction", "targets": None},
        {"network": {"layers": [{"units": 3}, {}]}, "training": {"sparsity_weight": 0.1}},
        {"rows": 9},
    ],
)
def test_where_nothing_is_left_to_choose_nothing_is_tried(job: dict[str, Any]) -> None:
    assert planned(**job).selection is None


def test_what_is_given_wins() -> None:
    given = {
        "optimizer": "momentum",
        "learning_rate": 0.3,
        "momentum": 0.5,
        "iterations": 7,
        "batch_size": 50,
        "init": "normal",
        "dtype": "float32",
        "weight_decay": 0.25,
        "cost": "cross_entropy",
    }
    network = {"layers": [{"units": 3, "activation": "linear"}, {"activation": "sigmoid"}]}
    job = planned(targets=["member"], network=network, training=given)
    assert activations(job.network) == ["linear", "sigmoid"]
    assert {name: getattr(job.training, name) for name in given} == given


@pytest.mark.parametrize("rows", [100, 20_000])
def test_a_resolved_training_asked_for_again_is_the_same_and_tries_nothing(rows: int) -> None:
    job = planned(rows=rows)
    again = planned(
        rows=rows,
        network=job.network.model_dump(mode="json"),
        training=job.training.model_dump(mode="json"),
    )
    assert again.training == job.training
    assert again.selection is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"learning_rate": 0.1}, "gradient_descent"),
        ({"learning_rate": 0.1, "batch_size": 10}, "gradient_descent"),
        ({"momentum": 0.5, "learning_rate": 0.1}, "momentum"),
        ({"batch_size": 10}, "adam"),
        ({"corrections": 5}, "lbfgs"),
        ({}, "lbfgs"),
    ],
)
def test_a_field_that_not_all_optimizers_read_tells_which_is_meant(given: dict[str, Any], meant: str) -> None:
    assert planned(training=given).training.optimizer == meant


def test_gradient_descent_on_a_linear_output_takes_steps_that_do_not_diverge() -> None:
    network = {"layers": [{"units": 9}, {}]}
    job = planned(network=network, training={"optimizer": "gradient_descent"})
    assert job.training.learning_rate == pytest.approx(1 / (max(job.sizes[0], 9) + 1))
    tanh = {"layers": [{"units": 9}, {"activation": "tanh"}]}
    assert planned(network=tanh, training={"optimizer": "gradient_descent"}).training.learning_rate == 1.0


def test_sparse_units_are_sigmoid_and_an_epsilon_is_of_the_normal_init() -> None:
    job = planned(network={"layers": [{"units": 3}, {}]}, training={"sparsity_weight": 0.1, "epsilon": 0.1})
    assert activations(job.network) == ["sigmoid", "linear"]
    assert job.training.init == "normal"


@pytest.mark.parametrize("job", [{"training": {"preset": "tutorial"}}, {"task": "reconstruction", "targets": None}])
def test_who_has_nobody_to_choose_a_network_is_told(job: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        planned(**job)
    assert refused.value.code == "network_required"
    assert [field.path for field in refused.value.fields] == ["/network"]


def test_a_job_stored_before_there_were_presets_is_one_of_the_tutorial() -> None:
    stored = planned(network={"layers": [{}]}, training={"preset": "tutorial"}).model_dump(mode="json")
    del stored["training"]["preset"], stored["selection"]
    assert ResolvedJob.model_validate(stored).training.preset == "tutorial"


@pytest.mark.parametrize("task", ["classification", "regression", "reconstruction"])
@pytest.mark.parametrize("rows", [0, 1, 9, 10, 5_000, 5_001, 10**8])
def test_every_situation_has_a_network_and_a_training(task: Task, rows: int) -> None:
    situation = Situation("auto", task, rows, sparse=False)
    network = situation.network_of((situation.usual_units,))
    assert None not in activations(network)
    training = situation.training(TrainingSpec(), network, 10)
    assert training.iterations >= 0
    assert TrainingSpec.model_validate(training.model_dump(mode="json")) == training
