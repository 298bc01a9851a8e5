from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backprop.selection.folds import fold_of_rows


@given(st.integers(2, 10), st.integers(0, 60), st.integers(0, 2**32), st.booleans(), st.sampled_from([1, 2, 5]))
def test_folds_are_of_nearly_equal_size_and_so_is_each_classs_share(
    folds: int, more: int, seed: int, classes: bool, outputs: int
) -> None:
    m = folds + more
    labels = np.random.default_rng(seed).integers(0, max(outputs, 2), m)
    Y = labels[:, np.newaxis].astype(float) if outputs == 1 else np.eye(outputs)[labels]
    fold = fold_of_rows(Y, folds, seed, classes=classes)
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    if classes:
        for label in np.unique(labels):
            shares = np.bincount(fold[labels == label], minlength=folds)
            assert shares.max() - shares.min() <= 1


def test_the_recipe_of_the_documentation() -> None:
    labels = np.array([2, 0, 1, 1, 0, 2, 2, 0, 1, 1])
    order = np.random.default_rng(7).permutation(10)
    by_class = sorted(order.tolist(), key=lambda row: labels[row])  # sorting is stable
    fold = fold_of_rows(np.eye(3)[labels], 3, 7, classes=True)
    assert [fold[row] for row in by_class] == [i % 3 for i in range(10)]
    as_numbers = fold_of_rows(np.eye(3)[labels], 3, 7, classes=False)
    assert [as_numbers[row] for row in order] == [i % 3 for i in range(10)]
