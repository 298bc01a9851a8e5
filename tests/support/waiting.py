"""Wait for something to become true, and say what did not when it takes too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_for(what: str, condition: Callable[[], Result | None], seconds: float = 30.0, every: float = 0.02) -> Result:
    """The first result of `condition` that is true, asked again `every` so many seconds.

    Raises:
        AssertionError: none was within that time.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(every)
