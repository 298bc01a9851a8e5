from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from backprop.coding.columns import Array
from backprop.coding.inputs import CodedColumn
from backprop.coding.labels import Labels
from backprop.coding.scaling import Range, Scaler
from backprop.coding.targets import ClassCoding, NumberCoding, Reconstruction, TargetCoding
from tests.support.columns import as_column, inputs_scaled, statistics_of

SIGMOID: Range = (0.0, 1.0)
TANH: Range = (-1.0, 1.0)
INPUTS = inputs_scaled((CodedColumn("x"), CodedColumn("c", ("a", "b"))), Scaler((1 / 3,), (0.1,)))


def labels_of_any_type() -> st.SearchStrategy[Labels]:
    words: st.SearchStrategy[Labels] = st.sets(st.text(max_size=5), min_size=2, max_size=6).map(
        lambda found: tuple(sorted(found))
    )
    numbers: st.SearchStrategy[Labels] = st.sets(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6).map(
        lambda found: tuple(sorted(found))
    )
    booleans: st.SearchStrategy[Labels] = st.just((False, True))
    return words | numbers | booleans


class TestClassCoding:
    @given(labels_of_any_type(), st.sampled_from([SIGMOID, TANH]), st.data())
    def test_decoding_gives_the_labels_back(self, labels: Labels, bounds: Range, data: st.DataObject) -> None:
        values = data.draw(st.lists(st.sampled_from(labels), min_size=1, max_size=20))
        coding = ClassCoding("y", labels, bounds)
        Y = coding.encode({"y": as_column(values)})
        assert Y.shape == (len(values), coding.width)
        assert set(np.unique(Y).tolist()) <= set(bounds)
        decoded = coding.decode(Y)["y"].tolist()
        assert decoded == values
        assert set(map(type, decoded)) == set(map(type, values))

    def test_two_classes_share_a_unit_that_is_high_for_the_second(self) -> None:
        coding = ClassCoding("y", ("ham", "spam"), TANH)
        assert coding.encode({"y": as_column(["spam", "ham"])}).tolist() == [[1.0], [-1.0]]

    def test_three_classes_have_a_unit_each(self) -> None:
        coding = ClassCoding("y", (3, 5, 7), SIGMOID)
        assert coding.encode({"y": np.array([5, 3])}).tolist() == [[0, 1, 0], [1, 0, 0]]

    @pytest.mark.parametrize(("classes", "width"), [((0, 1), 1), ((0, 1, 2), 3)])
    @pytest.mark.parametrize("bounds", [SIGMOID, TANH])
    @given(st.data())
    def test_the_predicted_class_has_the_highest_score(
        self, classes: Labels, width: int, bounds: Range, data: st.DataObject
    ) -> None:
        low, high = bounds
        outputs: NDArray[np.float64] = data.draw(
            npst.arrays(np.float64, (5, width), elements=st.floats(low, high, allow_subnormal=False))
        )
        coding = ClassCoding("y", classes, bounds)
        labels, scores = coding.class_scores(outputs)
        assert labels == classes
        assert scores.shape == (5, len(classes))
        assert (scores >= 0).all()
        assert (scores <= 1).all()
        chosen = scores[np.arange(5), coding.codes(outputs)]
        np.testing.assert_allclose(chosen, scores.max(axis=1), atol=1e-15)

    def test_scores_of_an_unbounded_output_are_clipped(self) -> None:
        coding = ClassCoding("y", (0, 1, 2), SIGMOID)
        assert coding.class_scores(np.array([[-3.0, 0.25, 7.0]])).scores.tolist() == [[0.0, 0.25, 1.0]]
        two = ClassCoding("y", (0, 1), TANH)
        assert two.class_scores(np.array([[0.5]])).scores.tolist() == [[0.25, 0.75]]

    def test_refuses_a_class_never_seen(self) -> None:
        with pytest.raises(ValueError, match="9"):
            ClassCoding("y", (1, 2), SIGMOID).encode({"y": np.array([9])})


class TestNumberCoding:
    @pytest.mark.parametrize("targets", [1, 2, 3, 5])
    @pytest.mark.parametrize("bounds", [SIGMOID, TANH, None])
    def test_targets_fill_the_range_and_come_back(self, targets: int, bounds: Range | None) -> None:
        table = np.random.default_rng(targets).normal(50, 20, (40, targets)).round(2)
        names = tuple(f"y_{index}" for index in range(targets))
        batch: dict[str, Array] = dict(zip(names, table.T, strict=True))
        coding = NumberCoding.fit(names, statistics_of(table), bounds)
        Y = coding.encode(batch)
        assert Y.shape == (40, targets)
        assert Y.flags.c_contiguous
        if bounds is None:
            np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-12)
            np.testing.assert_allclose(Y.std(axis=0), 1)
        else:
            np.testing.assert_allclose(Y.min(axis=0), bounds[0], atol=1e-12)
            np.testing.assert_allclose(Y.max(axis=0), bounds[1], atol=1e-12)
        decoded = coding.decode(Y)
        assert tuple(decoded) == names
        for name, values in batch.items():
            np.testing.assert_allclose(decoded[name], values, rtol=1e-12)


class TestReconstruction:
    def test_codes_its_targets_as_its_inputs(self) -> None:
        batch = {"x": np.array([0.5, 1.5]), "c": as_column(["b", "a"])}
        coding = Reconstruction(INPUTS)
        np.testing.assert_array_equal(coding.encode(batch), INPUTS.encode(batch))
        assert coding.decode(INPUTS.encode(batch))["c"].tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("coding", "columns", "width", "values_per_row"),
    [
        (ClassCoding("y", (1, 2), SIGMOID), ("y",), 1, 2),
        (ClassCoding("y", (1, 2), SIGMOID, unit_each=True), ("y",), 2, 2),
        (ClassCoding("y", (1, 2, 3), TANH), ("y",), 3, 3),
        (NumberCoding(("p", "q"), Scaler.identity(2)), ("p", "q"), 2, 2),
        (Reconstruction(INPUTS), (), 3, 2),
    ],
)
def test_codings_tell_their_columns_and_sizes(
    coding: TargetCoding, columns: tuple[str, ...], width: int, values_per_row: int
) -> None:
    assert (coding.columns, coding.width, coding.values_per_row) == (columns, width, values_per_row)


@pytest.mark.parametrize("coding", [NumberCoding(("p",), Scaler.identity(1)), Reconstruction(INPUTS)])
def test_only_classes_have_scores(coding: TargetCoding) -> None:
    assert coding.class_scores(np.zeros((2, coding.width))) is None


@pytest.mark.parametrize(
    ("activation", "bounds", "unit_each"),
    [("sigmoid", SIGMOID, False), ("tanh", TANH, False), ("linear", SIGMOID, False), ("softmax", SIGMOID, True)],
)
def test_classes_are_coded_for_the_output_layer(activation: str, bounds: Range, unit_each: bool) -> None:
    assert ClassCoding.for_output("y", ("a", "b"), activation) == ClassCoding("y", ("a", "b"), bounds, unit_each)
