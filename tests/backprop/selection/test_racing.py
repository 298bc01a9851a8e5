from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from backprop.selection.racing import best, mean_deviance, still_in

DEVIANCES = st.floats(0, 100) | st.just(math.inf)


@given(st.lists(st.lists(DEVIANCES, min_size=3, max_size=3), min_size=1, max_size=8), st.integers(1, 3))
def test_who_is_in_is_near_the_lowest_mean(candidates: list[list[float]], done: int) -> None:
    so_far = [deviances[:done] for deviances in candidates]
    means = [np.mean(deviances) for deviances in so_far]
    within = still_in(so_far, done)
    assert int(np.argmin(means)) in within
    for position, mean in enumerate(means):
        if math.isfinite(mean) and not math.isclose(mean, min(means) * (1 + 0.5 / done)):
            assert (position in within) == (mean < min(means) * (1 + 0.5 / done) or mean == min(means))


def test_everybody_begins_and_nobody_comes_back() -> None:
    assert still_in([[], [], []], 0) == [0, 1, 2]
    assert still_in([[1.0, 1.0], [3.0], [1.1, 1.1]], 2) == [0, 2]


@given(st.lists(st.lists(DEVIANCES, max_size=2), min_size=1, max_size=8))
def test_the_best_has_the_lowest_mean_of_those_with_all_folds(candidates: list[list[float]]) -> None:
    whole = [
        (mean_deviance(deviances), position)
        for position, deviances in enumerate(candidates)
        if len(deviances) == 2 and math.isfinite(sum(deviances))
    ]
    assert best(candidates, 2) == (min(whole)[1] if whole else None)


FOLDS = st.lists(st.floats(0, 1), min_size=5, max_size=5)


@given(FOLDS, FOLDS)
def test_a_simple_candidate_is_taken_where_it_is_as_good_within_one_standard_error(
    simple: list[float], other: list[float]
) -> None:
    d = np.subtract(simple, other)
    error = np.std(d, ddof=1) / np.sqrt(5)
    assume(not math.isclose(d.mean(), error, abs_tol=1e-9))
    assert best([simple, other], 5, [0]) == (0 if d.mean() < error else 1)
    assert best([other, simple], 5, [1]) == (1 if d.mean() < error else 0)


def test_of_several_simple_candidates_the_best_is_compared() -> None:
    hidden = [1.0, 1.0, 1.2]
    assert best([[9.0, 9.0, 9.0], [1.0, 1.1, 1.15], hidden], 3, [0, 1]) == 1
    assert best([[1.5, 1.5, 1.7], hidden], 3, [0]) == 1, "always worse by the same"


def test_a_single_fold_does_not_tell_what_is_as_good() -> None:
    assert best([[1.01], [1.0]], 1, [0]) == 1
