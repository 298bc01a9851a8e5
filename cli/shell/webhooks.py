"""Commands about webhooks: who is told when something has ended."""

from __future__ import annotations

from typing import Annotated

import typer

from backprop_client import NOT_GIVEN
from backprop_client.wire.webhooks import EVENTS, DeliveryStatus, WebhookEvent
from cli.shell.listing import Columns, Limit, deleted, listed
from cli.shell.printing import as_json
from cli.shell.speaking import ApiKey, AsJson, Url, speaking

webhooks = typer.Typer(help="Addresses that are told when jobs and predictions end.", no_args_is_help=True)

WEBHOOKS: Columns = [
    ("id", lambda each: each.id),
    ("url", lambda each: each.url),
    ("events", lambda each: each.events),
    ("enabled", lambda each: each.enabled),
    ("description", lambda each: each.description),
]
DELIVERIES: Columns = [
    ("id", lambda each: each.id),
    ("type", lambda each: each.type),
    ("status", lambda each: each.status),
    ("tries", lambda each: each.tries),
    ("next try", lambda each: each.next_try_at),
    ("last error", lambda each: each.last_error),
]


@webhooks.command("list")
def list_webhooks(limit: Limit = 20, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """The webhooks."""
    with speaking(url, api_key) as client:
        listed(client.webhooks.list(limit=min(limit, 100)), limit, WEBHOOKS, as_json_)


@webhooks.command("create")
def create_webhook(
    address: Annotated[str, typer.Argument(help="To be told: https://…")],
    event: Annotated[
        list[str] | None, typer.Option(help=f"Of what it is told: {', '.join(EVENTS)}. [default: of all]")
    ] = None,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Have an address told. The secret that it checks signatures with is printed this once."""
    with speaking(url, api_key) as client:
        events: list[WebhookEvent] = event or []  # type: ignore[assignment]  # the service knows which there are
        made = client.webhooks.create(url=address, events=events or NOT_GIVEN, description=description or NOT_GIVEN)
        if as_json_:
            as_json(made)
        else:
            typer.echo(f"{made.id}\n{made.secret}")


@webhooks.command("delete")
def delete_webhook(webhook_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Delete one, and what it was still to be told."""
    with speaking(url, api_key) as client:
        client.webhooks.delete(webhook_id)
        deleted(webhook_id, as_json_)


@webhooks.command("rotate")
def rotate(webhook_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Let a new secret sign, which is printed this once. The old one signs beside it for a day."""
    with speaking(url, api_key) as client:
        rotated = client.webhooks.rotate(webhook_id)
        if as_json_:
            as_json(rotated)
        else:
            typer.echo(rotated.secret)


@webhooks.command("test")
def send_test(webhook_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False) -> None:
    """Have it told something that means nothing."""
    with speaking(url, api_key) as client:
        sent = client.webhooks.test(webhook_id)
        if as_json_:
            as_json(sent)
        else:
            typer.echo(sent.id)


@webhooks.command("deliveries")
def list_deliveries(
    webhook_id: str,
    limit: Limit = 20,
    status: Annotated[str | None, typer.Option(help="pending, delivered or failed.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """What it is told and was told lately."""
    with speaking(url, api_key) as client:
        wanted: DeliveryStatus | None = status  # type: ignore[assignment]  # the service knows which there are
        page = client.webhooks.deliveries(webhook_id, status=wanted, limit=min(limit, 100))
        listed(page, limit, DELIVERIES, as_json_)


@webhooks.command("replay")
def replay(
    webhook_id: str, delivery_id: str, url: Url = None, api_key: ApiKey = None, as_json_: AsJson = False
) -> None:
    """Have it told once more, under the same id."""
    with speaking(url, api_key) as client:
        again = client.webhooks.replay(webhook_id, delivery_id)
        if as_json_:
            as_json(again)
        else:
            typer.echo(f"{again.id} is {again.status}.")
