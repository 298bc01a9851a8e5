from __future__ import annotations

import numpy as np
import pytest

from backprop.coding.labels import LabelTable
from tests.support.columns import as_column


def test_a_label_table_keeps_booleans_apart_from_words() -> None:
    assert LabelTable((False, True)).of(np.array([1, 0])).tolist() == [True, False]
    with pytest.raises(ValueError, match="'True'"):
        LabelTable((False, True)).codes(as_column(["True"]))
