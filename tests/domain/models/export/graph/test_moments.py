"""The nodes give the phases that the coding gives, to the bit."""

from __future__ import annotations

from functools import cache
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper
from onnxruntime import InferenceSession

from backprop.coding.periods import Period, phase
from domain.models.export.graph import moments
from domain.models.export.graph.builder import GraphBuilder
from domain.models.export.graph.moments import FIRST_SECOND, LAST_SECOND
from domain.models.export.ports import Port

DAY = 86_400
NEW_YEARS = (np.arange(1, 10_000) - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.float64)


@cache
def session(period: Period) -> InferenceSession:
    graph = GraphBuilder([Port("seconds", "double")], [Port("phase", "double")])
    graph.answer(Port("phase", "double"), moments.phase(graph, period, "seconds"))
    model = helper.make_model(graph.graph("phase"), ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def by_nodes(period: Period, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    (phases,) = session(period).run(None, {"seconds": seconds})
    return np.asarray(phases)


@pytest.mark.parametrize("period", get_args(Period))
@settings(deadline=None)
@given(seconds=st.lists(st.floats(FIRST_SECOND, LAST_SECOND - 366 * DAY), min_size=1, max_size=20))
def test_of_any_moment(period: Period, seconds: list[float]) -> None:
    values = np.array(seconds)
    np.testing.assert_array_equal(by_nodes(period, values), phase(period, values))


def test_of_both_ends_of_every_year_of_the_calendar() -> None:
    first = NEW_YEARS[:-1]
    for seconds in (first, first - 1, np.nextafter(first, -np.inf), first + 58.5 * DAY, first + 59.5 * DAY):
        inside = seconds[seconds >= FIRST_SECOND]
        np.testing.assert_array_equal(by_nodes("year", inside), phase("year", inside))
