from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from backprop.moments import Floats, Moments
from backprop.preprocessing import (
    Array,
    ClassCoding,
    Feature,
    InputCoding,
    Labels,
    LabelTable,
    NumberCoding,
    Preprocessing,
    Range,
    Reconstruction,
    Scaler,
    Scaling,
    TargetCoding,
    held_out_rows,
    holdout_mask,
)

SIGMOID: Range = (0.0, 1.0)
TANH: Range = (-1.0, 1.0)

# Multiples of 1/64 keep columns either exactly constant or spread well beyond rounding, where scikit-learn's
# tolerance for "constant" and our exact test agree.
TABLES = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.integers(-6400, 6400).map(lambda n: n / 64),
)
COLOURS = ("blue", "green", "red")


def moments_of(table: Floats) -> Moments:
    moments = Moments(table.shape[1])
    moments.add(table)
    return moments


def labels_of_any_type() -> st.SearchStrategy[Labels]:
    words: st.SearchStrategy[Labels] = st.sets(st.text(max_size=5), min_size=2, max_size=6).map(
        lambda found: tuple(sorted(found))
    )
    numbers: st.SearchStrategy[Labels] = st.sets(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6).map(
        lambda found: tuple(sorted(found))
    )
    booleans: st.SearchStrategy[Labels] = st.just((False, True))
    return words | numbers | booleans


def as_column(values: list[Any]) -> Array:
    return np.array(values, dtype=object if isinstance(values[0], str) else None)


class TestHoldout:
    @given(st.integers(2, 300), st.floats(0, 1, exclude_max=True), st.integers(0, 2**63 - 1))
    def test_follows_the_documented_recipe(self, rows: int, fraction: float, seed: int) -> None:
        mask = holdout_mask(rows, fraction, seed)
        held = 0 if fraction == 0 else min(max(1, round(fraction * rows)), rows - 1)
        expected = set(np.random.default_rng(seed).permutation(rows)[:held].tolist())
        assert set(np.flatnonzero(mask).tolist()) == expected
        assert mask.shape == (rows,)
        assert held_out_rows(rows, fraction) == held

    def test_is_the_same_on_every_machine_and_day(self) -> None:
        assert np.flatnonzero(holdout_mask(10, 0.3, seed=0)).tolist() == [2, 4, 6]

    @given(st.integers(2, 50), st.floats(0, 1, exclude_min=True, exclude_max=True))
    def test_leaves_a_row_on_each_side(self, rows: int, fraction: float) -> None:
        assert 1 <= holdout_mask(rows, fraction, 1).sum() <= rows - 1

    @pytest.mark.parametrize("fraction", [-0.1, 1.0, 2.0, float("nan")])
    def test_refuses_what_is_no_fraction(self, fraction: float) -> None:
        with pytest.raises(ValueError, match="fraction"):
            holdout_mask(10, fraction, 0)

    def test_refuses_to_hold_the_only_row_out(self) -> None:
        with pytest.raises(ValueError, match="at least 2 rows"):
            holdout_mask(1, 0.5, 0)


class TestScaler:
    @given(TABLES)
    def test_standardizing_agrees_with_scikit_learn(self, table: Floats) -> None:
        ours = Scaler.standardizing(moments_of(table)).encode(table)
        np.testing.assert_allclose(ours, StandardScaler().fit_transform(table), rtol=1e-9, atol=1e-9)

    @given(TABLES, st.sampled_from([SIGMOID, TANH]))
    def test_into_a_range_agrees_with_scikit_learn(self, table: Floats, bounds: Range) -> None:
        moments = moments_of(table)
        ours = Scaler.into_range(moments, bounds).encode(table)
        theirs = MinMaxScaler(bounds).fit_transform(table)
        varied = ~moments.constant
        np.testing.assert_allclose(ours[:, varied], theirs[:, varied], rtol=1e-9, atol=1e-9)
        assert not ours[:, ~varied].any()

    @given(TABLES, st.sampled_from(["standardize", "sigmoid", "tanh", "none"]))
    def test_decoding_undoes_encoding(self, table: Floats, how: str) -> None:
        moments = moments_of(table)
        scaler = {
            "standardize": Scaler.standardizing(moments),
            "sigmoid": Scaler.into_range(moments, SIGMOID),
            "tanh": Scaler.into_range(moments, TANH),
            "none": Scaler.identity(table.shape[1]),
        }[how]
        np.testing.assert_allclose(scaler.decode(scaler.encode(table)), table, rtol=1e-12, atol=1e-12)
        stored = json.loads(json.dumps(scaler.to_json()))
        assert Scaler.from_json(stored) == scaler

    @pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [0.0, 1e200], [0.0, 1e-200]])
    def test_refuses_a_spread_that_double_precision_cannot_scale(self, values: list[float]) -> None:
        moments = moments_of(np.array(values)[:, np.newaxis])
        with pytest.raises(ValueError, match="column 0"):
            Scaler.standardizing(moments)

    def test_refuses_a_range_that_overflows(self) -> None:
        with pytest.raises(ValueError, match="column 0"):
            Scaler.into_range(moments_of(np.array([[-1.7e308], [1.7e308]])), SIGMOID)


class TestInputCoding:
    FEATURES = (
        Feature("age"),
        Feature("colour", COLOURS),
        Feature("height"),
        Feature("member", (False, True)),
    )

    def batch(self, seed: int = 0, rows: int = 20) -> dict[str, Array]:
        rng = np.random.default_rng(seed)
        return {
            "age": rng.integers(18, 90, rows),
            "colour": as_column(rng.choice(COLOURS, rows).tolist()),
            "height": rng.normal(170, 10, rows),
            "member": rng.random(rows) < 0.5,
        }

    def fitted(self, batch: dict[str, Array], scaling: Scaling = "standardize") -> InputCoding:
        numbers = np.column_stack([batch["age"], batch["height"]]).astype(float)
        return InputCoding.fit(self.FEATURES, moments_of(numbers), scaling)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_agrees_with_scikit_learn_column_by_column(self, dtype: type[Any]) -> None:
        batch = self.batch()
        X = self.fitted(batch).encode(batch, dtype)
        one_hot = OneHotEncoder(sparse_output=False)
        expected = np.hstack(
            [
                StandardScaler().fit_transform(batch["age"].reshape(-1, 1)),
                one_hot.fit_transform(batch["colour"].reshape(-1, 1)),
                StandardScaler().fit_transform(batch["height"].reshape(-1, 1)),
                one_hot.fit_transform(batch["member"].reshape(-1, 1)),
            ]
        )
        np.testing.assert_allclose(X, expected, rtol=1e-6 if dtype is np.float32 else 1e-12, atol=1e-12)
        assert X.dtype == dtype
        assert X.flags.c_contiguous

    def test_numbers_only_are_coded_contiguously_and_in_order(self) -> None:
        table = np.arange(12.0).reshape(4, 3)
        coding = InputCoding.fit(tuple(map(Feature, "abc")), moments_of(table), "none")
        X = coding.encode(dict(zip("abc", table.T, strict=True)))
        np.testing.assert_array_equal(X, table)
        assert X.flags.c_contiguous

    def test_names_each_unit(self) -> None:
        coding = self.fitted(self.batch())
        names = ["age", "colour=blue", "colour=green", "colour=red", "height", "member=False", "member=True"]
        assert coding.unit_names == names
        assert coding.width == 7

    @given(st.integers(0, 10_000), st.sampled_from(["standardize", "min_max", "none"]))
    def test_decoding_gives_the_columns_back(self, seed: int, scaling: Scaling) -> None:
        batch = self.batch(seed)
        coding = self.fitted(batch, scaling)
        decoded = coding.decode(coding.encode(batch))
        assert list(decoded) == list(batch)
        for name, values in batch.items():
            if values.dtype.kind in "if":
                np.testing.assert_allclose(decoded[name], values, rtol=1e-12)
            else:
                assert decoded[name].tolist() == values.tolist()

    def test_refuses_a_category_never_seen(self) -> None:
        batch = self.batch()
        coding = self.fitted(batch)
        with pytest.raises(ValueError, match="'mauve'"):
            coding.encode({**batch, "colour": as_column(["mauve"] * 20)})

    def test_a_number_beyond_float32_becomes_infinite_without_a_warning(self) -> None:
        coding = InputCoding((Feature("x"),), Scaler.identity(1))
        assert np.isposinf(coding.encode({"x": np.array([1e300])}, np.float32)).all()


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
        scores = coding.scores(outputs)
        assert scores.shape == (5, len(classes))
        assert (scores >= 0).all()
        assert (scores <= 1).all()
        chosen = scores[np.arange(5), coding.codes(outputs)]
        np.testing.assert_allclose(chosen, scores.max(axis=1), atol=1e-15)

    def test_scores_of_an_unbounded_output_are_clipped(self) -> None:
        coding = ClassCoding("y", (0, 1, 2), SIGMOID)
        assert coding.scores(np.array([[-3.0, 0.25, 7.0]])).tolist() == [[0.0, 0.25, 1.0]]
        two = ClassCoding("y", (0, 1), TANH)
        assert two.scores(np.array([[0.5]])).tolist() == [[0.25, 0.75]]

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
        coding = NumberCoding.fit(names, moments_of(table), bounds)
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


class TestPreprocessing:
    INPUTS = InputCoding((Feature("x"), Feature("c", ("a", "b"))), Scaler((1 / 3,), (0.1,)))

    @pytest.mark.parametrize(
        ("targets", "names"),
        [
            (ClassCoding("y", (False, True), SIGMOID), ("y",)),
            (ClassCoding("y", (1, 2, 3), TANH), ("y",)),
            (NumberCoding(("p", "q"), Scaler((0.1, 0.2), (1e-7, 1e7))), ("p", "q")),
            (Reconstruction(INPUTS), ()),
        ],
    )
    def test_survives_json(self, targets: TargetCoding, names: tuple[str, ...]) -> None:
        preprocessing = Preprocessing(self.INPUTS, targets)
        assert Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json()))) == preprocessing
        assert preprocessing.target_names == names

    def test_refuses_a_kind_it_does_not_know(self) -> None:
        stored = Preprocessing(self.INPUTS, Reconstruction(self.INPUTS)).to_json()
        with pytest.raises(ValueError, match="'ranks'"):
            Preprocessing.from_json({**stored, "targets": {"kind": "ranks"}})

    def test_a_reconstruction_codes_its_targets_as_its_inputs(self) -> None:
        batch = {"x": np.array([0.5, 1.5]), "c": as_column(["b", "a"])}
        coding = Reconstruction(self.INPUTS)
        np.testing.assert_array_equal(coding.encode(batch), self.INPUTS.encode(batch))
        assert coding.decode(self.INPUTS.encode(batch))["c"].tolist() == ["b", "a"]


def test_a_label_table_keeps_booleans_apart_from_words() -> None:
    assert LabelTable((False, True)).of(np.array([1, 0])).tolist() == [True, False]
    with pytest.raises(ValueError, match="'True'"):
        LabelTable((False, True)).codes(as_column(["True"]))
