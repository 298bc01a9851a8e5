from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.demands import checkpoint_bytes, training_bytes
from backprop_client.wire.columns import Column, ColumnType
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import JobSpec
from domain.jobs.limits import JobLimits
from domain.jobs.planning import plan
from domain.jobs.problems import REPORTED_PROBLEMS
from domain.jobs.translation import network_of, training_of
from infra.errors import FieldError, InvalidRequest, TooLarge


@dataclass(frozen=True)
class Bounds:
    max_parameters: int = 1_000_000
    max_iterations: int = 10_000_000
    max_training_bytes: int = 2**32


def number(name: str, low: float = -1.0, high: float = 3.0, missing: int = 0, kind: ColumnType = "number") -> Column:
    return Column(
        name=name, type=kind, missing=missing, minimum=low, maximum=high, mean=(low + high) / 2, standard_deviation=1
    )


def labelled(name: str, kind: ColumnType, *labels: bool | int | str) -> Column:
    values = {"minimum": labels[0], "maximum": labels[-1]} if kind == "integer" else {}
    return Column.model_validate({"name": name, "type": kind, "missing": 0, "categories": labels, **values})


COLUMNS = (
    number("age"),
    number("height", 0.25, 0.75),
    labelled("colour", "category", "blue", "green", "red"),
    labelled("member", "boolean", False, True),
    labelled("grade", "integer", *range(10)),
    number("count", 0, 5000, kind="integer"),
    Column(name="notes", type="text", missing=0),
    number("gaps", missing=7),
    labelled("same", "category", "only"),
    number("flat", 2.5, 2.5),
    number("huge", 0, 1e200),
    number("nearly", 0.3, 0.30000000000000004),
    Column(
        name="when",
        type="datetime",
        missing=0,
        earliest="2025-01-01",
        latest="2026-02-01",
        periods=("year", "week"),
    ),
)

USABLE = ["age", "height", "colour", "member", "grade", "count"]


def planned(
    layers: list[dict[str, Any]] | None = None,
    columns: tuple[Column, ...] = COLUMNS,
    rows: int = 100,
    limits: JobLimits | None = None,
    training: dict[str, Any] | None = None,
    **job: object,
) -> ResolvedJob:
    network = {"layers": layers or [{"units": 5}, {"activation": "sigmoid"}]}
    tutorial = {"preset": "tutorial", **(training or {})}
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "network": network, "training": tutorial, **job})
    assert spec.network is not None
    return plan(spec, spec.network, columns, rows, limits or Bounds())


def refusal(job: dict[str, Any]) -> tuple[str, list[str]]:
    with pytest.raises(InvalidRequest) as refused:
        planned(**job)
    assert refused.value.message
    return refused.value.code, [field.path for field in refused.value.fields]


class TestDefaults:
    def test_inputs_are_all_columns_but_the_targets_in_file_order(self) -> None:
        columns = tuple(column for column in COLUMNS if column.name in USABLE)
        job = planned(columns=columns, targets=["colour"])
        assert [column.name for column in job.inputs] == ["age", "height", "member", "grade", "count"]

    @pytest.mark.parametrize(
        ("targets", "task", "outputs"),
        [
            (["colour"], "classification", 3),
            (["member"], "classification", 1),
            (["height"], "regression", 1),
            (["count"], "regression", 1),
            (["height", "count", "grade"], "regression", 3),
        ],
    )
    def test_the_task_follows_from_the_targets(self, targets: list[str], task: str, outputs: int) -> None:
        job = planned(inputs=["age"], targets=targets)
        assert job.task == task
        assert job.sizes == (1, 5, outputs)
        assert job.network.layers[-1].units == outputs
        assert job.scaling == "standardize"

    def test_integers_with_more_than_a_hundred_values_are_a_quantity(self) -> None:
        columns = (number("x"), labelled("y", "integer", *range(101)))
        assert planned(columns=columns, targets=["y"]).task == "regression"

    def test_integer_classes_are_kept_as_integers(self) -> None:
        job = planned(inputs=["age"], targets=["grade"], task="classification")
        assert job.targets[0].classes == tuple(range(10))
        assert job.sizes[-1] == 10

    def test_categories_and_booleans_widen_the_input(self) -> None:
        job = planned(inputs=["age", "colour", "member", "grade"], targets=["height"])
        assert job.sizes[0] == 1 + 3 + 2 + 1
        assert [column.categories for column in job.inputs] == [None, ("blue", "green", "red"), (False, True), None]

    @pytest.mark.parametrize(
        ("activation", "scaling"), [("sigmoid", "min_max"), ("tanh", "min_max"), ("linear", "standardize")]
    )
    def test_a_reconstruction_is_scaled_into_its_outputs_range(self, activation: str, scaling: str) -> None:
        job = planned([{"units": 2}, {"activation": activation}], inputs=["age", "colour"], task="reconstruction")
        assert job.scaling == scaling
        assert job.sizes == (4, 2, 4)
        assert job.targets == ()

    def test_a_reconstruction_may_leave_numbers_that_fit_as_they_are(self) -> None:
        assert planned(inputs=["height"], task="reconstruction", scaling="none").scaling == "none"

    @given(st.lists(st.integers(1, 30), max_size=4))
    def test_parameters_are_counted_layer_by_layer(self, hidden: list[int]) -> None:
        job = planned([*({"units": units} for units in hidden), {}], inputs=["age", "colour"], targets=["height"])
        sizes = [4, *hidden, 1]
        expected = 0
        for index, units in enumerate(sizes[1:]):
            expected += units * sizes[index] + units
        assert job.parameters == expected
        assert list(job.sizes) == sizes

    def test_a_softmax_output_has_a_unit_for_each_of_two_classes(self) -> None:
        job = planned([{"units": 5}, {"activation": "softmax"}], inputs=["age"], targets=["member"])
        assert job.sizes == (1, 5, 2)
        assert job.training.cost == "cross_entropy"

    @pytest.mark.parametrize(
        "training",
        [
            {},
            {"optimizer": "lbfgs", "sparsity_weight": 3},
            {"optimizer": "momentum", "patience": 5, "batch_size": 10},
            {"optimizer": "adam", "cost": "cross_entropy", "tolerance": 1e-3},
        ],
    )
    def test_the_plan_survives_the_database(self, training: dict[str, Any]) -> None:
        job = planned(
            inputs=["age", "colour", "member"],
            targets=["grade"],
            task="classification",
            holdout=0.2,
            training=training,
            gradient_check=True,
        )
        assert ResolvedJob.model_validate(job.model_dump(mode="json")) == job


INDEXED = (
    Column(name="column_1", type="category", missing=0, categories=("a", "b"), row_names="nameless"),
    number("x"),
    number("t", 0, 99, kind="integer").model_copy(update={"row_names": "counts"}),
    labelled("y", "category", "p", "q"),
)


def left_out(job: ResolvedJob) -> dict[str, str]:
    return {each.column: each.reason for each in job.left_out}


class TestLeftOut:
    def test_by_default_what_teaches_nothing_is_no_input_and_that_is_said(self) -> None:
        job = planned(targets=["height"])
        assert [column.name for column in job.inputs] == ["age", "colour", "member", "grade", "count", "gaps", "when"]
        reasons = left_out(job)
        assert list(reasons) == ["notes", "same", "flat", "huge", "nearly"]
        for name, says in (("notes", "text"), ("same", "'only'"), ("flat", "2.5"), ("huge", "1e+150")):
            assert says in reasons[name]
        assert job.table == tuple(column.name for column in COLUMNS if column.name != "height")

    def test_what_is_named_is_taken_all_the_same(self) -> None:
        job = planned(inputs=["flat", "same", "nearly"], targets=["height"])
        assert [column.name for column in job.inputs] == ["flat", "same", "nearly"]
        assert job.left_out == ()

    def test_what_names_or_counts_the_rows(self) -> None:
        job = planned(columns=INDEXED, targets=["y"])
        assert [column.name for column in job.inputs] == ["x"]
        assert list(left_out(job)) == ["column_1", "t"]

    def test_what_counts_the_rows_is_taken_where_nothing_else_is_left(self) -> None:
        columns = (INDEXED[0], number("flat", 1, 1), INDEXED[2], INDEXED[3])
        job = planned(columns=columns, targets=["y"])
        assert [column.name for column in job.inputs] == ["t"]
        assert list(left_out(job)) == ["column_1", "flat"]

    @pytest.mark.parametrize(("rows", "names", "kept"), [(49, 49, True), (50, 25, True), (50, 26, False)])
    def test_names_and_keys(self, rows: int, names: int, kept: bool) -> None:
        columns = (number("x"), labelled("name", "category", *(f"n{index:02}" for index in range(names))), number("y"))
        job = planned(columns=columns, targets=["y"], rows=rows)
        assert ("name" in left_out(job)) != kept

    def test_a_constant_with_gaps_tells_something_unless_the_gaps_go(self) -> None:
        columns = (number("x"), number("seen", 1, 1, missing=5), labelled("k", "category", "a"), number("y"))
        assert list(left_out(planned(columns=columns, targets=["y"]))) == ["k"]
        assert list(left_out(planned(columns=columns, targets=["y"], missing="drop_rows"))) == ["seen", "k"]

    def test_a_column_without_any_value(self) -> None:
        empty = Column(name="e", type="number", missing=100)
        job = planned(columns=(number("x"), empty, number("y")), targets=["y"])
        assert "empty" in left_out(job)["e"]
        assert planned(columns=(number("x"), empty, number("y")), targets=["y"], inputs=["x", "e"]).sizes[0] == 3

    def test_moments_are_no_part_of_a_reconstruction(self) -> None:
        job = planned([{"units": 2}, {"activation": "linear"}], task="reconstruction")
        assert "when" in left_out(job)


class TestGaps:
    def test_a_column_with_gaps_has_a_unit_more(self) -> None:
        assert planned(inputs=["age", "gaps"], targets=["height"]).sizes[0] == 3
        gappy = labelled("c", "category", "a", "b").model_copy(update={"missing": 1})
        assert planned(columns=(gappy, number("y")), targets=["y"]).sizes[0] == 3

    def test_moments_have_two_units_more_for_each_period(self) -> None:
        job = planned(inputs=["age", "when"], targets=["height"])
        assert job.sizes[0] == 1 + 1 + 2 * 2
        assert job.inputs[1].periods == ("year", "week")

    @pytest.mark.parametrize(("missing", "required"), [(None, ["y"]), ("impute", ["y"]), ("drop_rows", ["y", "gaps"])])
    def test_rows_need_what_is_asked_for(self, missing: str | None, required: list[str]) -> None:
        columns = (number("gaps", missing=7), number("x"), number("y", missing=3))
        job = planned(columns=columns, targets=["y"], missing=missing)
        assert list(job.required) == required
        assert job.missing == missing or (missing is None and job.missing == "impute")
        assert job.sizes[0] == (2 if missing == "drop_rows" else 3)


def test_names_are_the_same_however_their_accents_are_typed() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    for ours, theirs in ((composed, decomposed), (decomposed, composed)):
        columns = (number("x"), number(ours))
        assert planned(columns=columns, targets=[theirs]).targets[0].name == ours
        assert planned(columns=columns, targets=["x"], inputs=[theirs]).inputs[0].name == ours


class TestEpochs:
    @given(
        rows=st.integers(2, 200),
        holdout=st.sampled_from((0.0, 0.1, 0.5)),
        batch_size=st.sampled_from((None, 1, 7, 50, 300)),
        epochs=st.sampled_from((0, 1, 10)),
    )
    def test_are_as_many_iterations_as_it_takes(
        self, rows: int, holdout: float, batch_size: int | None, epochs: int
    ) -> None:
        asked = {"batch_size": batch_size, "epochs": epochs}
        job = planned(rows=rows, inputs=["age"], targets=["height"], holdout=holdout, training=asked)
        m = rows - (max(1, round(holdout * rows)) if holdout else 0)
        updates = len(range(0, m, batch_size or m))
        assert (job.training.epochs, job.training.iterations) == (epochs, epochs * updates)
        assert job.training.held_out_every == (updates if holdout else None)

    def test_a_plan_can_be_sent_back(self) -> None:
        body: dict[str, Any] = {"inputs": ["age", "gaps"], "targets": ["height"], "holdout": 0.3}
        for missing in ("impute", "drop_rows"):
            plan = planned(**body, missing=missing, training={"batch_size": 9, "epochs": 4})
            again = planned(**body, missing=missing, training=plan.training.model_dump())
            assert again == plan

    def test_what_is_said_of_measurements_stays(self) -> None:
        training = {"batch_size": 9, "held_out_every": 5, "iterations": 77}
        job = planned(inputs=["age"], targets=["height"], holdout=0.5, training=training)
        assert (job.training.held_out_every, job.training.iterations) == (5, 77)

    def test_the_most_rows_count_where_gaps_in_several_columns_may_leave_out_more(self) -> None:
        columns = (number("x", missing=10), number("z", missing=30), number("y"))
        body: dict[str, Any] = {"columns": columns, "targets": ["y"], "missing": "drop_rows", "holdout": 0.5}
        job = planned(**body, training={"batch_size": 10, "epochs": 2})
        assert (job.training.iterations, job.training.held_out_every) == (2 * 4, None)  # 70 rows, half of them held out
        assert planned(**body).training.held_out_every == 1  # without mini-batches the rows do not matter

    def test_a_stored_job_that_does_not_know_of_measurements_measures_at_every_iteration(self) -> None:
        body: dict[str, Any] = {"inputs": ["age"], "targets": ["height"], "training": {"batch_size": 10}}
        for holdout, every in ((0.2, 1), (0.0, None)):
            stored = planned(**body, holdout=holdout).model_dump(mode="json")
            for field in ("held_out_every", "epochs"):
                del stored["training"][field]
            old = ResolvedJob.model_validate(stored)
            assert old.training.held_out_every == training_of(old.training).held_out_every == every


class TestRefusals:
    @pytest.mark.parametrize(
        ("job", "code", "paths"),
        [
            ({"targets": ["salary"], "inputs": ["age"]}, "unknown_column", ["/targets/0"]),
            ({"targets": ["height"], "inputs": ["age", "weight"]}, "unknown_column", ["/inputs/1"]),
            ({"targets": ["height"], "inputs": ["age", "age"]}, "duplicate_column", ["/inputs/1"]),
            ({"targets": ["height", "height"], "inputs": ["age"]}, "duplicate_column", ["/targets/1"]),
            (
                {"targets": ["height"], "inputs": ["age", "height"]},
                "column_is_input_and_target",
                ["/inputs/1"],
            ),
            ({"inputs": ["age"]}, "targets_required", ["/targets"]),
            ({"inputs": ["age"], "task": "regression"}, "targets_required", ["/targets"]),
            ({"targets": ["age"], "inputs": ["height"], "task": "reconstruction"}, "targets_not_allowed", ["/targets"]),
            (
                {"targets": ["colour", "member"], "inputs": ["age"], "task": "classification"},
                "one_target_only",
                ["/targets"],
            ),
            ({"targets": ["grade"], "inputs": ["age"]}, "task_required", ["/task"]),
            ({"targets": ["notes"], "inputs": ["age"]}, "text_column", ["/targets/0"]),
            ({"targets": ["height"], "inputs": ["age", "notes"]}, "text_column", ["/inputs/1"]),
            (
                {"targets": ["height"], "inputs": ["age"], "task": "classification"},
                "target_not_classes",
                ["/targets/0"],
            ),
            ({"targets": ["count"], "inputs": ["age"], "task": "classification"}, "too_many_classes", ["/targets/0"]),
            ({"targets": ["same"], "inputs": ["age"]}, "one_class_only", ["/targets/0"]),
            ({"targets": ["height", "colour"], "inputs": ["age"]}, "target_not_numeric", ["/targets/1"]),
            ({"targets": ["member"], "inputs": ["age"], "task": "regression"}, "target_not_numeric", ["/targets/0"]),
            ({"targets": ["flat"], "inputs": ["age"]}, "constant_target", ["/targets/0"]),
            ({"targets": ["height"], "inputs": ["gaps"], "missing": "refuse"}, "missing_values", ["/inputs/0"]),
            ({"targets": ["gaps"], "inputs": ["age"], "missing": "refuse"}, "missing_values", ["/targets/0"]),
            ({"targets": ["gaps"], "inputs": ["age"], "rows": 7}, "missing_values", ["/targets/0", "/dataset_id"]),
            ({"targets": ["gaps"], "inputs": ["age"], "rows": 8, "holdout": 0.5}, "too_few_rows", ["/holdout"]),
            (
                {"targets": ["height"], "inputs": ["gaps"], "rows": 7, "missing": "drop_rows"},
                "too_few_rows",
                ["/dataset_id"],
            ),
            ({"targets": ["when"], "inputs": ["age"]}, "target_is_datetime", ["/targets/0"]),
            ({"inputs": ["age", "when"], "task": "reconstruction"}, "target_is_datetime", ["/inputs/1"]),
            ({"targets": ["nearly"], "inputs": ["age"]}, "constant_target", ["/targets/0"]),
            ({"targets": ["height"], "inputs": ["huge"]}, "values_too_large", ["/inputs/0"]),
            ({"targets": ["height"], "inputs": ["age"], "rows": 0}, "too_few_rows", ["/dataset_id"]),
            ({"targets": ["height"], "inputs": ["age"], "rows": 1, "holdout": 0.5}, "too_few_rows", ["/holdout"]),
            (
                {"inputs": ["age"], "task": "reconstruction", "scaling": "standardize"},
                "inputs_leave_output_range",
                ["/scaling"],
            ),
            (
                {"inputs": ["height", "age"], "task": "reconstruction", "scaling": "none"},
                "inputs_leave_output_range",
                ["/inputs/1"],
            ),
            (
                {"targets": ["member"], "inputs": ["age"], "layers": [{"units": 4}, {"units": 2}]},
                "output_units",
                ["/network/layers/1/units"],
            ),
            (
                {"targets": ["height"], "inputs": ["age"], "training": {"patience": 3}},
                "patience_needs_holdout",
                ["/training/patience"],
            ),
            (
                {"targets": ["height"], "inputs": ["age"], "training": {"held_out_every": 3}},
                "held_out_every_needs_holdout",
                ["/training/held_out_every"],
            ),
            (
                {"targets": ["height"], "inputs": ["age"], "training": {"epochs": 3, "iterations": 4}},
                "iterations_and_epochs",
                ["/training/epochs"],
            ),
            *(
                (
                    {"targets": ["height"], "inputs": ["age"], "training": {"epsilon": epsilon, "dtype": dtype}},
                    "epsilon_too_small",
                    ["/training/epsilon"],
                )
                for epsilon, dtype in ((1e-60, "float32"), (1.17e-38, "float32"), (2e-308, "float64"))
            ),
            (
                {
                    "targets": ["member"],
                    "inputs": ["age"],
                    "layers": [{"activation": "tanh"}],
                    "training": {"cost": "cross_entropy"},
                },
                "cost_needs_other_output",
                ["/training/cost"],
            ),
            (
                {"targets": ["height"], "inputs": ["age"], "layers": [{"units": 3}, {"activation": "softmax"}]},
                "softmax_needs_classes",
                ["/network/layers/1/activation"],
            ),
            (
                {"inputs": ["age"], "task": "reconstruction", "layers": [{"units": 3}, {"activation": "softmax"}]},
                "softmax_needs_classes",
                ["/network/layers/1/activation"],
            ),
            (
                {
                    "targets": ["height"],
                    "inputs": ["age"],
                    "layers": [{"units": 3}, {"units": 3, "activation": "tanh"}, {}],
                    "training": {"sparsity_weight": 3},
                },
                "sparsity_needs_sigmoid",
                ["/network/layers/1/activation"],
            ),
            (
                {"targets": ["height"], "inputs": ["age"], "layers": [{}], "training": {"sparsity_weight": 3}},
                "sparsity_needs_sigmoid",
                ["/training/sparsity_weight"],
            ),
        ],
    )
    def test_each_has_its_code_and_place(self, job: dict[str, Any], code: str, paths: list[str]) -> None:
        assert refusal(job) == (code, paths)

    def test_nothing_left_to_learn_from(self) -> None:
        assert refusal({"columns": (number("y"),), "targets": ["y"]}) == ("no_inputs", ["/inputs"])

    def test_all_problems_are_told_at_once(self) -> None:
        code, paths = refusal(
            {
                "inputs": ["age", "nope", "gaps", "notes"],
                "targets": ["flat"],
                "holdout": 0.5,
                "rows": 1,
                "missing": "refuse",
            }
        )
        assert code == "unknown_column"
        assert paths == ["/inputs/1", "/inputs/2", "/inputs/3", "/targets/0", "/holdout"]

    def test_missing_values_are_counted(self) -> None:
        with pytest.raises(InvalidRequest, match="'gaps' has 7 missing values"):
            planned(inputs=["gaps"], targets=["age"], missing="refuse")

    def test_a_dataset_full_of_text_gives_a_bounded_answer(self) -> None:
        columns = tuple(Column(name=f"t{index}", type="text", missing=0) for index in range(5000))
        with pytest.raises(InvalidRequest, match="'t0' is left out: It is text") as left_out:
            planned(columns=(*columns, number("y")), targets=["y"])
        assert len(left_out.value.message) < 400
        with pytest.raises(InvalidRequest, match="5000 problems") as refused:
            planned(columns=(*columns, number("y")), targets=["y"], inputs=[column.name for column in columns])
        assert len(refused.value.fields) == REPORTED_PROBLEMS


class TestLimits:
    def test_epochs_of_too_many_iterations_are_refused_in_their_place(self) -> None:
        for limits, epochs in ((Bounds(max_iterations=99), 10), (Bounds(max_iterations=10**18), 10**9)):
            with pytest.raises(TooLarge) as refused:
                training = {"batch_size": 10, "epochs": epochs}
                planned(inputs=["age"], targets=["height"], limits=limits, training=training)
            assert refused.value.code == "too_many_iterations"
            assert [field.path for field in refused.value.fields] == ["/training/epochs"]

    def refused(self, limits: Bounds, layers: list[dict[str, Any]]) -> TooLarge:
        with pytest.raises(TooLarge) as refused:
            planned(layers, limits=limits, inputs=["age"], targets=["height"])
        return refused.value

    def test_a_layer_of_a_billion_units(self) -> None:
        error = self.refused(Bounds(), [{"units": 3}, {"units": 1_000_000_000}, {}])
        assert error.code == "too_many_parameters"
        assert [field.path for field in error.fields] == ["/network/layers/1/units"]

    def test_a_network_without_hidden_layers(self) -> None:
        error = self.refused(Bounds(max_parameters=1), [{}])
        assert error.fields == (FieldError("/network", error.message),)

    def test_exactly_the_limit_is_allowed(self) -> None:
        job = planned([{}], limits=Bounds(max_parameters=2), inputs=["age"], targets=["height"])
        assert job.parameters == 2

    def test_memory(self) -> None:
        estimate = planned([{"units": 1000}, {}], inputs=["age"], targets=["height"]).estimated_bytes
        error = self.refused(Bounds(max_training_bytes=estimate - 1), [{"units": 1000}, {}])
        assert error.code == "training_too_large"
        training = {"dtype": "float32"}
        half = planned([{"units": 1000}, {}], inputs=["age"], targets=["height"], training=training)
        assert half.estimated_bytes * 2 == estimate

    def test_memory_does_not_grow_with_the_rows(self) -> None:
        few, many = (planned(rows=rows, inputs=["age"], targets=["height"]) for rows in (100, 100_000_000))
        assert few.estimated_bytes == many.estimated_bytes

    @pytest.mark.parametrize("holdout", [0, 0.2])
    @pytest.mark.parametrize(
        "training",
        [{}, {"optimizer": "adam", "batch_size": 30}, {"optimizer": "lbfgs", "corrections": 100, "dtype": "float32"}],
    )
    def test_the_estimate_is_the_cores_and_four_more_copies_of_the_state(
        self, training: dict[str, Any], holdout: float
    ) -> None:
        job = planned(
            [{"units": 50}, {}], inputs=["age"], targets=["height"], holdout=holdout, training=training, rows=100
        )
        network, core, dtype = network_of(job), training_of(job.training), job.training.dtype
        trained = training_bytes(network, core, dtype, 100 - round(100 * holdout), held_out=holdout > 0)
        assert job.estimated_bytes == trained + 4 * checkpoint_bytes(network, core, dtype)

    def test_a_mini_batch_is_copied(self) -> None:
        def estimate(rows: int, batch_size: int) -> int:
            training = {"batch_size": batch_size}
            return planned(rows=rows, inputs=["age"], targets=["height"], training=training).estimated_bytes

        assert estimate(10**8, 10**6) - estimate(10**8, 10) == (10**6 - 10) * 2 * 8
        assert estimate(100, 10**6) == estimate(100, 100)


@pytest.mark.parametrize(
    "training",
    [
        {"epsilon": 1.18e-38, "dtype": "float32"},
        {"epsilon": 1e-60, "dtype": "float64"},
        {"epsilon": 1e-60, "dtype": "float32", "init": "uniform"},
    ],
)
def test_an_epsilon_that_the_dtype_holds_or_that_is_not_used_is_planned(training: dict[str, Any]) -> None:
    job = planned(targets=["height"], inputs=["age"], training=training)
    assert job.training.epsilon == training["epsilon"]


def test_a_stored_network_is_blamed_by_its_id() -> None:
    spec = JobSpec.model_validate(
        {"dataset_id": "ds_1", "network_id": "net_1", "inputs": ["age"], "targets": ["height"]}
    )
    stored = JobSpec.model_validate({"dataset_id": "ds_1", "network": {"layers": [{"units": 3}]}}).network
    assert stored is not None
    with pytest.raises(InvalidRequest) as refused:
        plan(spec, stored, COLUMNS, 100, Bounds())
    assert [field.path for field in refused.value.fields] == ["/network_id"]


NAMES = st.lists(st.sampled_from([column.name for column in COLUMNS] + ["nope"]), min_size=1, max_size=4)


@given(
    st.fixed_dictionaries(
        {"rows": st.sampled_from([0, 1, 2, 100])},
        optional={
            "inputs": NAMES,
            "targets": NAMES,
            "task": st.sampled_from(["classification", "regression", "reconstruction"]),
            "scaling": st.sampled_from(["standardize", "min_max", "none"]),
            "holdout": st.sampled_from([0, 0.2, 0.99]),
            "layers": st.lists(
                st.fixed_dictionaries(
                    {"units": st.sampled_from([1, 3, 10**9]), "activation": st.sampled_from(["sigmoid", "linear"])}
                ),
                min_size=1,
                max_size=3,
            ),
        },
    )
)
def test_any_job_is_either_planned_in_full_or_refused_with_a_place(job: dict[str, Any]) -> None:
    refused: InvalidRequest | TooLarge | None = None
    resolved: ResolvedJob | None = None
    try:
        resolved = planned(**job)
    except (InvalidRequest, TooLarge) as error:
        refused = error
    if refused is not None:
        assert refused.fields
        assert all(field.path.startswith("/") and field.message for field in refused.fields)
    if resolved is not None:
        names = [column.name for column in resolved.inputs] + [column.name for column in resolved.targets]
        assert len(set(names)) == len(names)
        assert set(names) <= set(USABLE) | {"flat", "same", "gaps", "nearly", "when"}
        assert min(resolved.sizes) >= 1
        assert ResolvedJob.model_validate(resolved.model_dump(mode="json")) == resolved


class TestRegistration:
    REGISTRATION = {"name": "digits", "alias": "production"}  # noqa: RUF012

    def comparing(self, metric: str, split: str = "training") -> dict[str, Any]:
        return {"register": {**self.REGISTRATION, "if_better": {"metric": metric, "split": split}}}

    @pytest.mark.parametrize(
        ("job", "metrics", "others"),
        [
            ({"targets": ["member"]}, ["accuracy", "log_loss", "roc_auc"], ["rmse", "r2_mean"]),
            ({"targets": ["colour"]}, ["accuracy", "f1"], ["log_loss", "brier_score", "mae"]),
            ({"targets": ["height"]}, ["rmse", "mae", "median_absolute_error", "r2", "r2_mean"], ["accuracy"]),
            ({"targets": ["height", "count"]}, ["r2_mean"], ["rmse", "r2", "accuracy"]),
            ({"inputs": ["age", "colour"], "task": "reconstruction"}, ["r2_mean"], ["accuracy", "rmse"]),
            ({"inputs": ["colour"], "task": "reconstruction"}, [], ["r2_mean", "accuracy"]),
        ],
    )
    def test_only_a_metric_that_the_model_will_have_as_one_number_is_taken(
        self, job: dict[str, Any], metrics: list[str], others: list[str]
    ) -> None:
        job = {"inputs": ["age"], **job}
        for metric in metrics:
            asked = planned(**job, **self.comparing(metric)).registration
            assert asked is not None
            assert asked.if_better is not None
            assert asked.if_better.metric == metric
        for metric in others:
            code, paths = refusal({**job, **self.comparing(metric)})
            assert (code, paths) == ("metric_not_comparable", ["/register/if_better/metric"])

    def test_softmax_has_probabilities_of_more_than_two_classes(self) -> None:
        layers: list[dict[str, Any]] = [{"units": 5}, {"activation": "softmax"}]
        assert planned(layers, inputs=["age"], targets=["colour"], **self.comparing("log_loss")).registration

    def test_held_out_rows_are_compared_only_where_there_are_some(self) -> None:
        job = {"inputs": ["age"], "targets": ["height"], **self.comparing("rmse", "held_out")}
        assert refusal(job) == ("comparison_needs_holdout", ["/register/if_better/split"])
        assert planned(**job, holdout=0.2).registration

    def test_it_is_kept_with_the_job_as_it_was_asked_for(self) -> None:
        job = planned(inputs=["age"], targets=["height"], **self.comparing("rmse"))
        stored = job.model_dump(mode="json")
        assert stored["register"] == {**self.REGISTRATION, "if_better": {"metric": "rmse", "split": "training"}}
        assert ResolvedJob.model_validate(stored) == job
        assert planned(inputs=["age"], targets=["height"]).registration is None
