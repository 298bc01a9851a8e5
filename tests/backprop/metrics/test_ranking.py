from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from backprop.metrics import bounded_counts, row_buffer
from backprop.metrics.bounded_counts import digits_from_both_ends
from backprop.metrics.ranking import MOST_STEPS, RankedClass, Ranking, RocCurve
from tests.support.measured import UNTIMED, ClassRows, Floats, class_rows, exactly, in_batches

NOTHING = RankedClass(None, None, None)


def ranked(rows: ClassRows, batches: int = 1) -> list[RankedClass]:
    ranking = Ranking(rows.classes)
    for batch in in_batches(rows.actual, batches):
        ranking.add(rows.actual[batch], rows.scores[batch], rows.weights_of(batch))
    return ranking.results()


def of_two_classes(actual: list[int] | Floats, scores: Floats) -> RankedClass:
    """What is said of the second class."""
    ranking = Ranking(2)
    ranking.add(np.asarray(actual, np.intp), np.stack([1 - scores, scores], axis=1))
    return ranking.results()[1]


@pytest.mark.parametrize("waiting", [1, 2**21])
@UNTIMED
@given(class_rows(), st.integers(1, 4))
def test_areas_and_average_precision_agree_with_scikit_learn(waiting: int, rows: ClassRows, batches: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_buffer, "MOST_WAITING", waiting)
        results = ranked(rows, batches)
    counting = rows.counting
    for position, result in enumerate(results):
        has_it = rows.actual == position
        scores, weights = rows.scores[:, position], rows.weights
        if has_it[counting].any():
            assert result.average_precision == exactly(average_precision_score(has_it, scores, sample_weight=weights))
        else:
            assert result == NOTHING
        if len(set(has_it[counting])) == 2:
            assert result.roc_auc == exactly(roc_auc_score(has_it, scores, sample_weight=weights))
        else:
            assert (result.roc_auc, result.roc_curve) == (None, None)


@UNTIMED
@given(class_rows())
def test_the_points_of_the_curve_are_scikit_learns_at_equal_steps(rows: ClassRows) -> None:
    for position, result in enumerate(ranked(rows)):
        if result.roc_curve is None:
            continue
        expected = roc_curve(
            rows.actual == position, rows.scores[:, position], sample_weight=rows.weights, drop_intermediate=False
        )
        of_all = {threshold: (false, true) for false, true, threshold in zip(*expected, strict=True)}
        curve = result.roc_curve
        assert curve.threshold[0] is None
        thresholds = [np.inf if threshold is None else threshold for threshold in curve.threshold]
        assert thresholds == sorted(set(thresholds), reverse=True)
        for false, true, threshold in zip(curve.false_positive_rate, curve.true_positive_rate, thresholds, strict=True):
            assert (exactly(false), exactly(true)) == of_all[threshold]
        ways = {threshold: (false + true) / 2 for threshold, (false, true) in of_all.items()}
        firsts = [
            max(threshold for threshold, way in ways.items() if way >= step - 1e-9)
            for step in [0, *np.arange(1, MOST_STEPS) / MOST_STEPS]
        ]
        assert set(thresholds) == {*firsts, expected[2][-1]}


@pytest.mark.parametrize("classes", [2, 10, 40, 200])
def test_a_curve_has_a_bounded_number_of_points_and_comes_close_to_all(classes: int) -> None:
    rng = np.random.default_rng(1)
    actual = rng.integers(0, classes, 20_000)
    scores = rng.random((20_000, classes))
    scores[np.arange(20_000), actual] **= 0.3
    ranking = Ranking(classes)
    ranking.add(actual, scores)
    steps = {2: 100, 10: 100, 40: 25, 200: 10}[classes]
    for position, result in enumerate(ranking.results()):
        curve = result.roc_curve
        assert isinstance(curve, RocCurve)
        assert len(curve.threshold) == steps + 1
        false, true = np.array(curve.false_positive_rate), np.array(curve.true_positive_rate)
        assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
        assert (np.diff(false) + np.diff(true)).max() < 2 / steps + 0.02
        assert result.roc_auc == pytest.approx(np.trapezoid(true, false), abs=1 / steps**2 + 0.002)
        assert json.loads(json.dumps(curve.to_json()))["threshold"][0] is None
        assert roc_auc_score(actual == position, scores[:, position]) == exactly(result.roc_auc or 0)


def test_equal_scores_are_one_step() -> None:
    assert of_two_classes([0, 1, 0, 1], np.full(4, 0.25)) == RankedClass(
        0.5, 0.5, RocCurve([0.0, 1.0], [0.0, 1.0], [None, 0.25])
    )


@pytest.mark.parametrize("batches", [1, 3, 10])
def test_more_scores_than_fit_are_cut_to_fewer_digits(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_counts, "MOST_VALUES", 300)
    monkeypatch.setattr(row_buffer, "MOST_WAITING", 500)
    rng = np.random.default_rng(2)
    actual = rng.integers(0, 2, 5000)
    second = 1 / (1 + np.exp(-rng.normal(4 * actual - 2, 2)))
    scores = np.stack([1 - second, second], axis=1)
    ranking = Ranking(2)
    for batch in np.array_split(np.arange(5000), batches):
        ranking.add(actual[batch], scores[batch])
    for position, result in enumerate(ranking.results()):
        exact = scores[:, position]
        digits = max(d for d in range(52) if len(np.unique(digits_from_both_ends(exact, d))) <= 300)
        cut = digits_from_both_ends(exact, digits)
        has_it = actual == position
        assert result.roc_auc == exactly(roc_auc_score(has_it, cut))
        assert result.average_precision == exactly(average_precision_score(has_it, cut))
        pairs = sum((has_it & (cut == score)).sum() * (~has_it & (cut == score)).sum() for score in np.unique(cut)) / (
            has_it.sum() * (~has_it).sum()
        )
        assert pairs < 0.02
        assert result.roc_auc == pytest.approx(roc_auc_score(has_it, exact), abs=pairs / 2)


def test_two_million_scores_are_ranked_exactly() -> None:
    rng = np.random.default_rng(3)
    actual = (rng.random(2**21) < 0.3).astype(np.intp)
    scores = np.arange(2**21, dtype=float)
    rng.shuffle(scores)
    scores /= 2**21
    ranking = Ranking(1)
    for batch in np.array_split(np.arange(2**21), 5):
        ranking.add(1 - actual[batch], scores[batch, np.newaxis])
    (result,) = ranking.results()
    ranks = np.empty(2**21)
    ranks[np.argsort(scores)] = np.arange(1, 2**21 + 1)
    having = int(actual.sum())
    area = (ranks[actual == 1].sum() - having * (having + 1) / 2) / (having * (2**21 - having))
    assert result.roc_auc == exactly(area)


def test_a_score_that_is_no_number_makes_everything_unknown() -> None:
    ranking = Ranking(2)
    ranking.add(np.array([0, 1]), np.array([[0.2, 0.8], [0.5, np.nan]]))
    ranking.add(np.array([0, 1]), np.array([[0.2, 0.8], [0.5, 0.5]]))
    assert ranking.results() == [NOTHING, NOTHING]


def test_nothing_is_known_before_the_first_row() -> None:
    assert Ranking(3).results() == [NOTHING] * 3
