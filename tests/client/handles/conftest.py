"""A service that is served, and a client of it, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backprop_client import Backprop
from tests.support.serving import Served, serving

FEW = {"BACKPROP_MAX_PREDICTION_ROWS": "200"}
"""So few rows may come with a request that a table with more of them is halved."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`backprop serve`, with a worker."""
    with serving(tmp_path_factory.mktemp("served"), environment=FEW) as stack:
        yield stack


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Backprop]:
    """A client of it."""
    with Backprop(base_url=served.url) as client:
        yield client
