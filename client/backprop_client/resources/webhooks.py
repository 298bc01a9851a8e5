"""`client.webhooks`: addresses that are told when something has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import quoted
from backprop_client.transport.calls import NOT_GIVEN, Call, NotGiven, as_type, given, json_body, nothing
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.webhooks import (
    DeliveryOut,
    DeliveryPage,
    DeliveryStatus,
    NewSecretOut,
    NewWebhookOut,
    WebhookEvent,
    WebhookOut,
    WebhookPage,
)


@dataclass(frozen=True)
class Webhooks:
    """Addresses that are told when something has ended."""

    _sender: Sender

    def create(
        self,
        *,
        url: str,
        events: Sequence[WebhookEvent] | NotGiven = NOT_GIVEN,
        description: str | NotGiven | None = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
    ) -> NewWebhookOut:
        """Have an address told when jobs and predictions end. The answer has the secret, this once."""
        return self._sender.send(_create(url, events, description, enabled))

    def list(self, *, after: str | None = None, limit: int | None = None) -> Page[WebhookOut]:
        """The webhooks, newest first."""
        return Page.asked_for(self._sender, _list(after, limit))

    def get(self, webhook_id: str) -> WebhookOut:
        """One of them."""
        return self._sender.send(_get(webhook_id))

    def update(
        self,
        webhook_id: str,
        *,
        url: str | NotGiven = NOT_GIVEN,
        events: Sequence[WebhookEvent] | NotGiven = NOT_GIVEN,
        description: str | NotGiven | None = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
    ) -> WebhookOut:
        """Change one."""
        return self._sender.send(_update(webhook_id, url, events, description, enabled))

    def delete(self, webhook_id: str) -> None:
        """Delete one, and what it was still to be told."""
        self._sender.send(_delete(webhook_id))

    def rotate(self, webhook_id: str) -> NewSecretOut:
        """Let a new secret sign. The old one signs beside it for a day."""
        return self._sender.send(_rotate(webhook_id))

    def test(self, webhook_id: str) -> DeliveryOut:
        """Have it told something that means nothing."""
        return self._sender.send(_test(webhook_id))

    def deliveries(
        self,
        webhook_id: str,
        *,
        status: DeliveryStatus | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[DeliveryOut]:
        """What it is told and was told lately, newest first."""
        return Page.asked_for(self._sender, _deliveries(webhook_id, status, after, limit))

    def replay(self, webhook_id: str, delivery_id: str) -> DeliveryOut:
        """Have it told once more, under the same id."""
        return self._sender.send(_replay(webhook_id, delivery_id))


@dataclass(frozen=True)
class AsyncWebhooks:
    """Addresses that are told when something has ended."""

    _sender: AsyncSender

    async def create(
        self,
        *,
        url: str,
        events: Sequence[WebhookEvent] | NotGiven = NOT_GIVEN,
        description: str | NotGiven | None = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
    ) -> NewWebhookOut:
        """Have an address told when jobs and predictions end. The answer has the secret, this once."""
        return await self._sender.send(_create(url, events, description, enabled))

    def list(self, *, after: str | None = None, limit: int | None = None) -> AsyncList[WebhookOut]:
        """The webhooks, newest first."""
        return AsyncList(_list(after, limit), self._sender)

    async def get(self, webhook_id: str) -> WebhookOut:
        """One of them."""
        return await self._sender.send(_get(webhook_id))

    async def update(
        self,
        webhook_id: str,
        *,
        url: str | NotGiven = NOT_GIVEN,
        events: Sequence[WebhookEvent] | NotGiven = NOT_GIVEN,
        description: str | NotGiven | None = NOT_GIVEN,
        enabled: bool | NotGiven = NOT_GIVEN,
    ) -> WebhookOut:
        """Change one."""
        return await self._sender.send(_update(webhook_id, url, events, description, enabled))

    async def delete(self, webhook_id: str) -> None:
        """Delete one, and what it was still to be told."""
        await self._sender.send(_delete(webhook_id))

    async def rotate(self, webhook_id: str) -> NewSecretOut:
        """Let a new secret sign. The old one signs beside it for a day."""
        return await self._sender.send(_rotate(webhook_id))

    async def test(self, webhook_id: str) -> DeliveryOut:
        """Have it told something that means nothing."""
        return await self._sender.send(_test(webhook_id))

    def deliveries(
        self,
        webhook_id: str,
        *,
        status: DeliveryStatus | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> AsyncList[DeliveryOut]:
        """What it is told and was told lately, newest first."""
        return AsyncList(_deliveries(webhook_id, status, after, limit), self._sender)

    async def replay(self, webhook_id: str, delivery_id: str) -> DeliveryOut:
        """Have it told once more, under the same id."""
        return await self._sender.send(_replay(webhook_id, delivery_id))


def _create(
    url: str, events: Sequence[WebhookEvent] | NotGiven, description: str | NotGiven | None, enabled: bool | NotGiven
) -> Call[NewWebhookOut]:
    return Call(
        "POST",
        "/v1/webhooks",
        as_type(NewWebhookOut),
        body=json_body(given(url=url, events=events, description=description, enabled=enabled)),
        creates=True,
    )


def _list(after: str | None, limit: int | None) -> Listing[WebhookOut]:
    return Listing(
        Call("GET", "/v1/webhooks", as_type(WebhookPage), query={"after": after, "limit": limit}), lambda item: item.id
    )


def _get(webhook_id: str) -> Call[WebhookOut]:
    return Call("GET", f"/v1/webhooks/{quoted(webhook_id)}", as_type(WebhookOut))


def _update(
    webhook_id: str,
    url: str | NotGiven,
    events: Sequence[WebhookEvent] | NotGiven,
    description: str | NotGiven | None,
    enabled: bool | NotGiven,
) -> Call[WebhookOut]:
    return Call(
        "PATCH",
        f"/v1/webhooks/{quoted(webhook_id)}",
        as_type(WebhookOut),
        body=json_body(given(url=url, events=events, description=description, enabled=enabled)),
    )


def _delete(webhook_id: str) -> Call[None]:
    return Call("DELETE", f"/v1/webhooks/{quoted(webhook_id)}", nothing)


def _rotate(webhook_id: str) -> Call[NewSecretOut]:
    return Call("POST", f"/v1/webhooks/{quoted(webhook_id)}/rotate", as_type(NewSecretOut), creates=True)


def _test(webhook_id: str) -> Call[DeliveryOut]:
    return Call("POST", f"/v1/webhooks/{quoted(webhook_id)}/test", as_type(DeliveryOut), creates=True)


def _deliveries(
    webhook_id: str, status: DeliveryStatus | None, after: str | None, limit: int | None
) -> Listing[DeliveryOut]:
    return Listing(
        Call(
            "GET",
            f"/v1/webhooks/{quoted(webhook_id)}/deliveries",
            as_type(DeliveryPage),
            query={"status": status, "after": after, "limit": limit},
        ),
        lambda item: item.id,
    )


def _replay(webhook_id: str, delivery_id: str) -> Call[DeliveryOut]:
    return Call(
        "POST", f"/v1/webhooks/{quoted(webhook_id)}/deliveries/{quoted(delivery_id)}/replay", as_type(DeliveryOut)
    )
