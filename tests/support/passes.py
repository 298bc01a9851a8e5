"""Which way few examples go through the network: as a whole, as they would, or in blocks, as many examples would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from backprop.passes import lanes, products

Passing = Callable[[], AbstractContextManager[None]]


@contextmanager
def as_a_whole() -> Iterator[None]:
    """Leave them uncut."""
    yield


@contextmanager
def in_blocks() -> Iterator[None]:
    """Cut them into blocks of about four rows, and these into several lanes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL_PRODUCT", 0)
        patch.setattr(lanes, "SMALL_WORK", 0)
        patch.setattr(lanes, "BLOCK_VALUES", 1)
        patch.setattr(lanes, "LEAST_BLOCK_ROWS", 4)
        yield


both_ways = pytest.mark.parametrize("passing", [as_a_whole, in_blocks])
