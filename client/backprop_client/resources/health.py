"""`client.health`: whether the service is up."""

from __future__ import annotations

from dataclasses import dataclass

from backprop_client.transport.calls import Call, as_type
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.health import Health


@dataclass(frozen=True)
class HealthChecks:
    """Whether the service is up."""

    _sender: Sender

    def live(self) -> Health:
        """Whether the process is up."""
        return self._sender.send(_live())

    def ready(self) -> Health:
        """Whether its database and its queue are there, too."""
        return self._sender.send(_ready())


@dataclass(frozen=True)
class AsyncHealthChecks:
    """Whether the service is up."""

    _sender: AsyncSender

    async def live(self) -> Health:
        """Whether the process is up."""
        return await self._sender.send(_live())

    async def ready(self) -> Health:
        """Whether its database and its queue are there, too."""
        return await self._sender.send(_ready())


def _live() -> Call[Health]:
    return Call("GET", "/healthz", as_type(Health))


def _ready() -> Call[Health]:
    return Call("GET", "/readyz", as_type(Health))
