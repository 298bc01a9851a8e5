"""Which rows a job may hold out, as far as the summaries of its datasets tell."""

from __future__ import annotations

from typing import Any

import pytest

from backprop_client.wire.columns import Column
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import HeldOutDataset, HeldOutRows, JobSpec
from domain.jobs.holdouts import Table, comparable_value
from domain.jobs.planning import plan
from infra.errors import InvalidRequest
from infra.settings import Settings

NETWORK = {"layers": [{"units": 3}, {"activation": "sigmoid"}]}

NUMBER = Column(name="size", type="number", missing=0, minimum=0, maximum=10)
KIND = Column(name="kind", type="category", missing=0, categories=("a", "b"))
SPLIT = Column(name="split", type="category", missing=0, categories=("test", "train"))
YEAR = Column(name="year", type="integer", missing=0, minimum=2020, maximum=2024, categories=(2020, 2022, 2024))
SEEN = Column(name="seen", type="boolean", missing=3, categories=(False, True))
WHEN = Column(name="when", type="datetime", missing=0, earliest="2024-01-01", latest="2024-03-01", periods=("week",))
NOTES = Column(name="notes", type="text", missing=0)
SAME = Column(name="same", type="category", missing=0, categories=("x",))
COUNT = Column(name="n", type="integer", missing=0, minimum=0, maximum=99, row_names="counts")
COLUMNS = (NUMBER, KIND, SPLIT, YEAR, SEEN, WHEN, NOTES, SAME)


def planned(
    columns: tuple[Column, ...] = COLUMNS, rows: int = 100, held_out: Table | None = None, **job: object
) -> ResolvedJob:
    spec = JobSpec.model_validate({"dataset_id": "ds_1", "network": NETWORK, "targets": ["kind"], **job})
    assert spec.network is not None
    return plan(spec, spec.network, columns, rows, Settings(), held_out=held_out)


def refusal(**job: Any) -> tuple[str, list[str]]:  # noqa: ANN401
    with pytest.raises(InvalidRequest) as refused:
        planned(**job)
    return refused.value.code, [field.path for field in refused.value.fields]


class TestByChance:
    @pytest.mark.parametrize(
        ("job", "by"),
        [
            ({}, None),
            ({"holdout": 0.2}, "stratified"),
            ({"holdout": 0.2, "holdout_by": "random"}, "random"),
            ({"holdout": 0.2, "targets": ["size"]}, "random"),
            ({"holdout": 0.2, "targets": None, "task": "reconstruction", "inputs": ["split"]}, "random"),
        ],
    )
    def test_the_default_is_by_class_for_classes(self, job: dict[str, Any], by: str | None) -> None:
        assert planned(**job).holdout_by == by

    def test_a_job_from_before_there_was_a_choice_holds_out_at_random(self) -> None:
        for holdout, by in ((0.2, "random"), (0, None)):
            stored = planned(holdout=holdout).model_dump(mode="json")
            del stored["holdout_by"]
            assert ResolvedJob.model_validate(stored).holdout_by == by

    def test_by_class_there_must_be_classes(self) -> None:
        by_class = {"holdout": 0.2, "holdout_by": "stratified"}
        assert refusal(targets=["size"], **by_class) == ("stratified_needs_classes", ["/holdout_by"])

    def test_of_classes_with_one_row_each_nothing_can_be_held_out(self) -> None:
        names = tuple(f"k{index:02}" for index in range(20))
        columns = (NUMBER, KIND.model_copy(update={"categories": names, "missing": 5}))
        assert refusal(columns=columns, rows=25, holdout=0.1) == ("too_few_rows", ["/holdout"])
        assert planned(columns=columns, rows=26, holdout=0.1).holdout_by == "stratified"
        assert planned(columns=columns, rows=25, holdout=0.1, holdout_by="random").rows == 25


class TestByValue:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("split", "test"),
            ("year", 2022),
            ("year", 2022.0),
            ("size", 7),
            ("size", 7.5),
            ("seen", True),
            ("when", "2024-02-29"),
            ("when", "2024-02-29T10:30:00+02:00"),
            ("notes", "whatever"),
        ],
    )
    def test_the_column_is_no_input_and_that_is_said(self, column: str, value: object) -> None:
        by = {"column": column, "value": value}
        job = planned(holdout_by=by, training={"patience": 3})
        assert job.holdout_by == HeldOutRows.model_validate(by)
        assert column not in [each.name for each in job.inputs]
        assert {each.column: each.reason for each in job.left_out}[column] == "It says which rows are held out."
        assert column in job.table
        assert ResolvedJob.model_validate(job.model_dump(mode="json")) == job

    def test_the_column_is_an_input_where_it_is_named(self) -> None:
        job = planned(holdout_by={"column": "year", "value": 2024}, inputs=["size", "year"])
        assert [each.name for each in job.inputs] == ["size", "year"]

    def test_a_column_that_counts_the_rows_is_no_input_then_though_nothing_else_is_left(self) -> None:
        columns = (COUNT, KIND)
        assert planned(columns=columns).inputs[0].name == "n"
        assert refusal(columns=columns, holdout_by={"column": "n", "value": 3}) == ("no_inputs", ["/inputs"])

    @pytest.mark.parametrize(
        ("column", "value", "code", "path"),
        [
            ("nothing", "x", "unknown_column", "column"),
            ("kind", "a", "column_is_target", "column"),
            ("split", "validation", "value_not_in_column", "value"),
            ("split", True, "value_not_in_column", "value"),
            ("year", 2021, "value_not_in_column", "value"),
            ("year", 2022.5, "value_not_in_column", "value"),
            ("year", "2022", "value_not_in_column", "value"),
            ("year", True, "value_not_in_column", "value"),
            ("size", 11, "value_not_in_column", "value"),
            ("size", 10**400, "value_not_in_column", "value"),
            ("seen", 1, "value_not_in_column", "value"),
            ("when", "2024-02-30", "value_not_in_column", "value"),
            ("when", "2024-03-02", "value_not_in_column", "value"),
            ("same", "x", "too_few_rows", "value"),
        ],
    )
    def test_what_cannot_be_is_told(self, column: str, value: object, code: str, path: str) -> None:
        assert refusal(holdout_by={"column": column, "value": value}) == (code, [f"/holdout_by/{path}"])

    def test_one_row_is_too_few(self) -> None:
        assert refusal(rows=1, holdout_by={"column": "split", "value": "test"})[0] == "too_few_rows"

    @pytest.mark.parametrize(
        ("kind", "value", "comparable"),
        [
            ("datetime", "1970-01-01T00:00:01Z", 1.0),
            ("datetime", "00:01", 60.0),
            ("datetime", 1.0, None),
            ("text", "00:01", "00:01"),
            ("integer", 3.0, 3.0),
            ("boolean", False, False),
        ],
    )
    def test_what_is_compared(self, kind: str, value: Any, comparable: object) -> None:  # noqa: ANN401
        assert comparable_value(kind, value) == comparable


class TestOtherDataset:
    def with_rows_of(self, *columns: Column, rows: int = 40, **job: Any) -> ResolvedJob:  # noqa: ANN401
        job = {"inputs": ["size", "split", "year"], **job}
        return planned(held_out=Table(columns, rows), holdout_by={"dataset_id": "ds_2"}, **job)

    def test_its_columns_are_found_by_name(self) -> None:
        job = self.with_rows_of(YEAR, NOTES, KIND, SPLIT, NUMBER, training={"patience": 3})
        assert job.holdout_by == HeldOutDataset(dataset_id="ds_2")
        assert job.held_out_table is not None
        assert (job.held_out_table.dataset_id, job.held_out_table.rows) == ("ds_2", 40)
        assert (job.held_out_table.required, job.held_out_table.reread) == ((), ())
        assert ResolvedJob.model_validate(job.model_dump(mode="json")) == job

    def test_rows_with_gaps_are_treated_as_those_of_the_job_s_own(self) -> None:
        gaps = {"missing": 4}
        columns = (NUMBER.model_copy(update=gaps), SPLIT, YEAR, KIND.model_copy(update=gaps))
        job = self.with_rows_of(*columns)
        assert job.held_out_table is not None
        assert job.held_out_table.required == ("kind",)
        job = self.with_rows_of(*columns, missing="drop_rows")
        assert job.held_out_table is not None
        assert job.held_out_table.required == ("kind", "size")
        refusals: tuple[tuple[dict[str, Any], str], ...] = (
            ({"missing": "refuse"}, "missing_values"),
            ({"rows": 4}, "too_few_rows"),
        )
        for refused, code in refusals:
            with pytest.raises(InvalidRequest) as error:
                self.with_rows_of(*columns, **refused)
            assert error.value.code == code

    def test_categories_that_were_read_as_numbers_are_categories_again(self) -> None:
        codes = SPLIT.model_copy(update={"categories": ("1", "1A", "2")})
        digits = Column(name="split", type="integer", missing=0, minimum=1, maximum=2, categories=(1, 2))
        job = planned(
            (NUMBER, codes, KIND), held_out=Table((NUMBER, digits, KIND), 9), holdout_by={"dataset_id": "ds_2"}
        )
        assert job.held_out_table is not None
        assert job.held_out_table.reread == ("split",)

    @pytest.mark.parametrize(
        ("columns", "code"),
        [
            ((NUMBER, SPLIT, YEAR), "unknown_column"),
            ((NUMBER, SPLIT, KIND), "unknown_column"),
            ((NUMBER, SPLIT.model_copy(update={"categories": ("other",)}), YEAR, KIND), "unknown_category"),
            ((NUMBER, SPLIT, YEAR, KIND.model_copy(update={"categories": ("a", "c")})), "unknown_category"),
            ((NUMBER.model_copy(update={"type": "text"}), SPLIT, YEAR, KIND), "column_type_differs"),
            ((NUMBER.model_copy(update={"maximum": 1e200}), SPLIT, YEAR, KIND), "values_too_large"),
        ],
    )
    def test_a_table_that_does_not_fit_is_refused(self, columns: tuple[Column, ...], code: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            self.with_rows_of(*columns)
        assert refused.value.code == code
        assert [field.path for field in refused.value.fields] == ["/holdout_by/dataset_id"]

    def test_all_rows_of_the_job_s_own_dataset_are_trained_on(self) -> None:
        batches = {"batch_size": 10, "optimizer": "adam"}
        columns = (NUMBER, SPLIT, YEAR, KIND)
        other = self.with_rows_of(*columns, training=batches)
        random = planned(inputs=["size", "split", "year"], holdout=0.5, holdout_by="random", training=batches)
        assert other.estimated_bytes - random.estimated_bytes == 50 * 8  # of the shuffled order
