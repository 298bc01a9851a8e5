"""The code that an autoencoder makes of rows, and rows of codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_client.estimators import BackpropAutoencoder

RNG = np.random.default_rng(2)
ON_A_PLANE = RNG.normal(size=(80, 2)) @ RNG.normal(size=(2, 5)) * [1, 10, 100, 1, 1] + 3


@settings(max_examples=15)
@given(hidden=st.lists(st.integers(1, 6), min_size=1, max_size=3), rows=st.integers(1, 9))
def test_a_reproduction_is_what_becomes_of_the_code(hidden: list[int], rows: int) -> None:
    autoencoder = BackpropAutoencoder(hidden, iterations=3).fit(ON_A_PLANE)
    some = ON_A_PLANE[:rows]
    code = autoencoder.transform(some)
    assert code.shape == (rows, min(hidden))
    assert len(autoencoder.get_feature_names_out()) == min(hidden)
    assert np.array_equal(autoencoder.inverse_transform(code), autoencoder.predict(some))


def test_the_code_is_that_of_the_formulas() -> None:
    """a⁽²⁾ = tanh(W⁽¹⁾x + b⁽¹⁾) of rows that are not scaled."""
    autoencoder = BackpropAutoencoder(3, scaling="none", iterations=3).fit(ON_A_PLANE)
    (W1, W2), (b1, b2) = autoencoder.coefs_, autoencoder.intercepts_
    assert autoencoder.activations_ == ["tanh", "linear"]
    code = np.tanh(ON_A_PLANE @ W1 + b1)
    np.testing.assert_allclose(autoencoder.transform(ON_A_PLANE), code)
    np.testing.assert_allclose(autoencoder.predict(ON_A_PLANE), code @ W2 + b2)


def test_two_numbers_tell_of_rows_on_a_plane() -> None:
    autoencoder = BackpropAutoencoder(2, activation="linear", weight_decay=0, iterations=200).fit(ON_A_PLANE)
    assert autoencoder.score(ON_A_PLANE) > 0.999
    assert BackpropAutoencoder(1, activation="linear", weight_decay=0).fit(ON_A_PLANE).score(ON_A_PLANE) < 0.95


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_codes_come_in_the_container_that_is_asked_for(container: Any) -> None:
    autoencoder = BackpropAutoencoder(2, iterations=3).set_output(transform=container)
    frame = autoencoder.fit_transform(ON_A_PLANE)
    assert list(frame.columns) == ["backpropautoencoder0", "backpropautoencoder1"]


def test_half_the_inputs_are_the_code_where_nothing_is_said() -> None:
    assert BackpropAutoencoder(iterations=1).fit(ON_A_PLANE).transform(ON_A_PLANE).shape == (80, 2)
    assert BackpropAutoencoder(iterations=1).fit(ON_A_PLANE[:, :1]).transform(ON_A_PLANE[:, :1]).shape == (80, 1)


def test_epochs_are_taken_where_iterations_have_a_default() -> None:
    assert BackpropAutoencoder(2, optimizer="lbfgs", epochs=4).fit(ON_A_PLANE).n_iter_ == 4
    assert BackpropAutoencoder(2).fit(ON_A_PLANE).n_iter_ == 50


def test_a_sparse_one_has_small_activations() -> None:
    how: dict[str, Any] = {"hidden": 8, "activation": "sigmoid", "iterations": 150}
    sparse = BackpropAutoencoder(**how, sparsity_weight=3.0, sparsity=0.05).fit(ON_A_PLANE)
    dense = BackpropAutoencoder(**how).fit(ON_A_PLANE)
    assert abs(sparse.transform(ON_A_PLANE).mean() - 0.05) < 0.03 < dense.transform(ON_A_PLANE).mean() - 0.1


def test_what_is_no_code_is_refused() -> None:
    autoencoder = BackpropAutoencoder(2, iterations=1).fit(ON_A_PLANE)
    with pytest.raises(ValueError, match="A code has 2 values, and X has 5 columns"):
        autoencoder.inverse_transform(ON_A_PLANE)
    with pytest.raises(ValueError, match="hidden needs one at least"):
        BackpropAutoencoder(()).fit(ON_A_PLANE)
    with pytest.raises(ValueError, match=r"lies in \[0, 1\]"):
        BackpropAutoencoder(2, output="sigmoid", scaling="standardize").fit(ON_A_PLANE)
