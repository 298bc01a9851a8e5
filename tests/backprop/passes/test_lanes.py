from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop.passes.lanes import LANES, Crew, Lanes, block_rows

SIZES = st.lists(st.integers(1, 2000), min_size=2, max_size=5).map(tuple)


@given(m=st.integers(1, 10**6), sizes=SIZES)
def test_every_example_is_in_exactly_one_block_in_order(m: int, sizes: tuple[int, ...]) -> None:
    parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
    lanes = Lanes.for_work(m, sizes, parameters)
    assert lanes.count in (1, *range(1, 5), *LANES)
    end = 0
    for lane in range(lanes.count):
        blocks = list(lanes.of(lane))
        assert 1 <= len(blocks) <= lanes.blocks
        for start, rows in blocks:
            assert start == end
            assert 1 <= rows <= block_rows(sizes)
            end = start + rows
    assert end == m


@given(m=st.integers(10**4, 10**6), sizes=SIZES)
def test_lanes_are_of_nearly_equal_length(m: int, sizes: tuple[int, ...]) -> None:
    lanes = Lanes(m, sizes, 8)
    lengths = [sum(rows for _, rows in lanes.of(lane)) for lane in range(lanes.count)]
    assert max(lengths) - min(lengths) <= 8


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_crew_does_every_piece_once_and_tells_of_errors(threads: int) -> None:
    crew = Crew(threads)
    done: list[int] = []
    crew.work_through(20, lambda piece, _: done.append(piece))
    assert sorted(done) == list(range(20))

    def fail(piece: int, _thread: int) -> None:
        if piece == 13:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crew.work_through(20, fail)
