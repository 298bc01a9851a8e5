"""Requests that read much or compute for long get their turn a few at a time, so that others never wait for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

import anyio
from fastapi import Depends, Request

from infra.database import Database

READS_AT_A_TIME = 4
"""Heavy reads of one process. Each may hold hundreds of megabytes, and all share the interpreter lock with cheaper
requests."""

CHECKS_AT_A_TIME = 1
"""Gradient checks of one process. Each holds several copies of the weights and keeps a core busy for seconds."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class HeavyWork:
    """Runs functions in threads, so many at a time. The others wait in the event loop, and hold no thread.

    Attributes:
        database: with so many connections of its own.
    """

    def __init__(self, database_url: str, at_a_time: int) -> None:
        self.database = Database(database_url, most_connections=at_a_time)
        self._limiter = anyio.CapacityLimiter(at_a_time)

    async def run(
        self, work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> Result:
        """What the function gives, once its turn has come."""
        return await anyio.to_thread.run_sync(partial(work, *arguments, **named), limiter=self._limiter)


async def _heavy_reads(request: Request) -> HeavyWork:
    reads: HeavyWork = request.app.state.heavy_reads
    return reads


async def _gradient_checks(request: Request) -> HeavyWork:
    checks: HeavyWork = request.app.state.gradient_checks
    return checks


HeavyReadsDep = Annotated[HeavyWork, Depends(_heavy_reads)]
GradientChecksDep = Annotated[HeavyWork, Depends(_gradient_checks)]
