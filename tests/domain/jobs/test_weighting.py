from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from backprop_client.wire.columns import Column
from backprop_client.wire.resolved_jobs import ResolvedJob
from backprop_client.wire.specs import ClassWeight, JobSpec
from domain.jobs.holdouts import Table
from domain.jobs.planning import plan
from domain.jobs.weighting import weights_of_classes
from infra.errors import InvalidRequest
from infra.settings import Settings

NETWORK = {"layers": [{"units": 3}, {"activation": "sigmoid"}]}

SIZE = Column(name="size", type="number", missing=0, minimum=-1, maximum=10)
KIND = Column(name="kind", type="category", missing=0, categories=("a", "b", "c"))
WEIGHT = Column(name="weight", type="number", missing=0, minimum=0, maximum=10)
YES = Column(name="yes", type="boolean", missing=0, categories=(False, True))
GRADE = Column(name="grade", type="integer", missing=0, minimum=1, maximum=3, categories=(1, 2, 3))
COLUMNS = (SIZE, KIND, WEIGHT, YES, GRADE)


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


class TestColumn:
    def test_it_is_no_input_and_that_is_said(self) -> None:
        job = planned(weights="weight")
        assert job.weights == "weight"
        assert [column.name for column in job.inputs] == ["size", "yes", "grade"]
        assert [(each.column, each.reason) for each in job.left_out] == [
            ("weight", "It holds the weights of the rows.")
        ]
        assert "weight" in job.table
        assert ResolvedJob.model_validate(job.model_dump(mode="json")) == job

    def test_it_is_an_input_where_it_is_named(self) -> None:
        assert [column.name for column in planned(weights="weight", inputs=["weight"]).inputs] == ["weight"]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"type": "category", "categories": ("1", "2")}, "unusable_weights"),
            ({"type": "text"}, "unusable_weights"),
            ({"missing": 1}, "unusable_weights"),
            ({"minimum": -0.5}, "unusable_weights"),
            ({"maximum": 0}, "unusable_weights"),
            ({"maximum": 1e200}, "unusable_weights"),
            ({"name": "else"}, "unknown_column"),
        ],
    )
    def test_what_are_no_weights_is_told(self, change: dict[str, Any], code: str) -> None:
        columns = (SIZE, KIND, WEIGHT.model_copy(update=change))
        assert refusal(columns=columns, inputs=["size"], weights="weight") == (code, ["/weights"])

    def test_a_target_is_none(self) -> None:
        assert refusal(targets=["size"], inputs=["grade"], weights="size") == ("column_is_target", ["/weights"])

    def test_a_dataset_held_out_needs_them_too(self) -> None:
        def held_out(*columns: Column) -> ResolvedJob:
            table = Table((SIZE, KIND, *columns), 10)
            return planned(inputs=["size"], weights="weight", holdout_by={"dataset_id": "ds_2"}, held_out=table)

        assert held_out(WEIGHT).weights == "weight"
        for columns, code in (
            ((), "unknown_column"),
            ((WEIGHT.model_copy(update={"missing": 2}),), "unusable_weights"),
        ):
            with pytest.raises(InvalidRequest) as refused:
                held_out(*columns)
            assert refused.value.code == code
            assert [field.path for field in refused.value.fields] == ["/holdout_by/dataset_id"]

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_they_are_in_the_estimate(self, dtype: str) -> None:
        def estimate(**job: Any) -> int:  # noqa: ANN401
            return planned(
                inputs=["size"], training={"preset": "tutorial", "dtype": dtype}, rows=10**6, **job
            ).estimated_bytes

        in_the_core = 10**6 * (8 + np.dtype(dtype).itemsize)
        assert estimate(weights="weight") - estimate() == in_the_core + 10**6 * 8
        assert estimate(class_weight="balanced") - estimate() == in_the_core + 10**6 * 8
        assert estimate(weights="weight", class_weight="balanced") - estimate() == in_the_core + 2 * 10**6 * 8


def weighed(job: ResolvedJob) -> dict[Any, float]:
    assert isinstance(job.class_weight, tuple)
    return {each.label: each.weight for each in job.class_weight}


class TestClasses:
    def test_classes_not_named_weigh_one_and_all_are_in_order(self) -> None:
        assert list(weighed(planned(class_weight={"c": 3, "a": 0.5})).items()) == [("a", 0.5), ("b", 1.0), ("c", 3.0)]
        assert planned(class_weight="balanced").class_weight == "balanced"

    @pytest.mark.parametrize(
        ("target", "given", "weights"),
        [
            ("yes", {"true": 4}, {False: 1.0, True: 4.0}),
            ("yes", [{"class": False, "weight": 4}], {False: 4.0, True: 1.0}),
            ("grade", {"2": 4}, {1: 1.0, 2: 4.0, 3: 1.0}),
            ("grade", [{"class": 2, "weight": 4}, {"class": "3", "weight": 0}], {1: 1.0, 2: 4.0, 3: 0.0}),
        ],
    )
    def test_labels_come_as_they_are_or_as_json_writes_them(
        self,
        target: str,
        given: object,
        weights: dict[Any, float],
    ) -> None:
        job = planned(targets=[target], task="classification", class_weight=given)
        assert weighed(job) == weights
        stored = ResolvedJob.model_validate(job.model_dump(mode="json"))
        assert [type(label) for label in weighed(stored)] == [type(label) for label in weights]
        again = [each.model_dump() for each in stored.class_weight]  # type: ignore[union-attr]
        assert planned(targets=[target], task="classification", class_weight=again).class_weight == job.class_weight

    @pytest.mark.parametrize(
        ("job", "code"),
        [
            ({"class_weight": {"d": 1}}, "unknown_class"),
            ({"class_weight": [{"class": 1, "weight": 1}]}, "unknown_class"),
            ({"targets": ["grade"], "task": "classification", "class_weight": {"4": 1}}, "unknown_class"),
            ({"targets": ["grade"], "task": "classification", "class_weight": {"2.0": 1}}, "unknown_class"),
            ({"targets": ["yes"], "class_weight": {"True": 1}}, "unknown_class"),
            ({"targets": ["yes"], "class_weight": [{"class": 1, "weight": 1}]}, "unknown_class"),
            ({"class_weight": [{"class": "a", "weight": 1}, {"class": "a", "weight": 2}]}, "duplicate_class"),
            ({"class_weight": {"a": 0, "b": 0, "c": 0}}, "unusable_weights"),
            ({"targets": ["size"], "class_weight": "balanced"}, "class_weight_needs_classes"),
            ({"targets": ["size"], "class_weight": {"a": 1}}, "class_weight_needs_classes"),
        ],
    )
    def test_what_cannot_be_is_told(self, job: dict[str, Any], code: str) -> None:
        assert refusal(**job) == (code, ["/class_weight"])

    @given(st.lists(st.integers(0, 50), min_size=2, max_size=6).filter(any))
    def test_balanced_is_scikit_learns(self, counts: list[int]) -> None:
        y = np.repeat(np.arange(len(counts)), counts)
        expected = np.ones(len(counts))
        present = np.unique(y)
        expected[present] = compute_class_weight("balanced", classes=present, y=y)
        np.testing.assert_allclose(weights_of_classes("balanced", np.array(counts)), expected, rtol=1e-15)

    def test_explicit_ones_are_what_they_are(self) -> None:
        given = (ClassWeight(label="a", weight=2), ClassWeight(label="b", weight=0))
        assert weights_of_classes(given, np.array([5, 7])).tolist() == [2, 0]
