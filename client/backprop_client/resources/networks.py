"""`client.networks`: networks that are stored under names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import quoted
from backprop_client.transport.calls import Call, as_type, json_body
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.networks import NetworkOut, NetworkPage
from backprop_client.wire.specs import LayerSpec


@dataclass(frozen=True)
class Networks:
    """Networks that are stored under names."""

    _sender: Sender

    def create(self, *, name: str, layers: Sequence[LayerSpec | Mapping[str, Any]]) -> NetworkOut:
        """Store a network."""
        return self._sender.send(_create(name, layers))

    def list(self, *, after: str | None = None, limit: int | None = None) -> Page[NetworkOut]:
        """The stored networks, newest first."""
        return Page.asked_for(self._sender, _list(after, limit))

    def get(self, network_id: str) -> NetworkOut:
        """One of them."""
        return self._sender.send(_get(network_id))


@dataclass(frozen=True)
class AsyncNetworks:
    """Networks that are stored under names."""

    _sender: AsyncSender

    async def create(self, *, name: str, layers: Sequence[LayerSpec | Mapping[str, Any]]) -> NetworkOut:
        """Store a network."""
        return await self._sender.send(_create(name, layers))

    def list(self, *, after: str | None = None, limit: int | None = None) -> AsyncList[NetworkOut]:
        """The stored networks, newest first."""
        return AsyncList(_list(after, limit), self._sender)

    async def get(self, network_id: str) -> NetworkOut:
        """One of them."""
        return await self._sender.send(_get(network_id))


def _create(name: str, layers: Sequence[LayerSpec | Mapping[str, Any]]) -> Call[NetworkOut]:
    return Call(
        "POST",
        "/v1/networks",
        as_type(NetworkOut),
        body=json_body({"name": name, "layers": list(layers)}),
        creates=True,
    )


def _list(after: str | None, limit: int | None) -> Listing[NetworkOut]:
    return Listing(
        Call("GET", "/v1/networks", as_type(NetworkPage), query={"after": after, "limit": limit}), lambda item: item.id
    )


def _get(network_id: str) -> Call[NetworkOut]:
    return Call("GET", f"/v1/networks/{quoted(network_id)}", as_type(NetworkOut))
