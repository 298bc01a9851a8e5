from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from safetensors import safe_open

from infra.codec import from_bytes, telling, to_bytes

DTYPES = st.sampled_from(["float32", "float64", "int64", "uint64", "uint8", "bool"])
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "__metadata__"), ARRAYS, max_size=4))
def test_arrays_come_back_bit_by_bit(arrays: dict[str, NDArray[Any]]) -> None:
    back = from_bytes(to_bytes(arrays))
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        assert (back[name].shape, back[name].dtype) == (array.shape, array.dtype)
        assert back[name].tobytes() == array.tobytes()


@settings(deadline=None, max_examples=20)
@given(told=st.dictionaries(st.text(), st.text(max_size=20), max_size=4))
def test_texts_are_told_beside_the_same_arrays(told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    plain = to_bytes({"a": np.arange(6.0), "b": np.arange(3, dtype=np.float32)})
    telling_file = telling(telling(plain, {"another": "text"}), told)
    assert telling_file == telling(plain, told)
    assert from_bytes(telling_file)["a"].tobytes() == np.arange(6.0).tobytes()
    path: Path = tmp_path_factory.getbasetemp() / "telling.safetensors"
    path.write_bytes(telling_file)
    with safe_open(path, "numpy") as file:
        assert (file.metadata() or {}) == told
        np.testing.assert_array_equal(file.get_tensor("b"), np.arange(3, dtype=np.float32))


def test_views_are_stored_as_they_read() -> None:
    array = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(from_bytes(to_bytes({"a": array.T[1:]}))["a"], array.T[1:])


@given(st.binary(max_size=200))
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="safetensors"):
        from_bytes(data)


def test_a_truncated_file_is_refused() -> None:
    data = to_bytes({"a": np.arange(100.0)})
    for end in (0, 4, 20, len(data) - 1):
        with pytest.raises(ValueError, match="safetensors"):
            from_bytes(data[:end])


def test_nothing_is_unpickled_or_pickled() -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("unpickled",)

    with pytest.raises(ValueError, match="safetensors"):
        from_bytes(pickle.dumps({"a": Trap()}))
    with pytest.raises(ValueError, match="stored"):
        to_bytes({"a": np.array([Trap()], object)})
