"""A client of a service that this program has started itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from backprop_client import Backprop


@contextmanager
def client_of(url: str, api_key: str = "", timeout: float = 60.0) -> Iterator[Backprop]:
    """A client that asks the service at this address, whatever the environment names as key or proxy.

    Args:
        url: of the service.
        api_key: empty for none.
        timeout: seconds for each step of an answer.
    """
    with httpx2.Client(trust_env=False) as over:
        yield Backprop(api_key, url, timeout=timeout, http_client=over)
