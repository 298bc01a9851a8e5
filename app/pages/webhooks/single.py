"""`/webhooks/{id}`: what it is told, and how far each delivery has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from app.access.dependencies import CanRead
from app.dependencies import DatabaseDep
from app.pages.filters import AfterId
from app.pages.rendering import page_response
from app.v1.answers import webhook_out
from app.v1.parameters import IdPath
from backprop_client.wire.webhooks import EVENTS, DeliveryStatus, WebhookOut
from domain.webhooks import deliveries
from domain.webhooks import rows as webhooks
from infra.database import clock
from infra.tables import WebhookDelivery

router = APIRouter(prefix="/webhooks")

DELIVERIES_A_PAGE = 25

STATUSES: tuple[DeliveryStatus, ...] = get_args(DeliveryStatus)


@dataclass(frozen=True)
class ShownDelivery:
    """Something that the webhook is told, and how far that has come.

    Attributes:
        id: the same at every try.
        type: of the event.
        status: how far it has come.
        tries: how many there have been.
        last_status: of the last answer; None if none came.
        last_error: why the last try failed; None if it did not.
        next_try_at: when the next is due; None if there is to be none.
        created_at: when it happened.
        body: what is sent, as JSON that people can read.
    """

    id: str
    type: str
    status: DeliveryStatus
    tries: int
    last_status: int | None
    last_error: str | None
    next_try_at: datetime | None
    created_at: datetime
    body: str


@dataclass(frozen=True)
class WebhookPage:
    """One webhook.

    Attributes:
        webhook: what is known of it.
        previous_until: until when the secret before the last rotation signs, too; None if it does not.
        events: of what it can be told.
        deliveries: those of this page, newest first.
        status: only those with this one; None for all.
        statuses: that can be asked for.
        next_page: where older ones are; None if there are none.
    """

    template: ClassVar[str] = "webhooks/single.html"
    title: ClassVar[str] = "Webhook"
    webhook: WebhookOut
    previous_until: datetime | None
    events: Sequence[str]
    deliveries: Sequence[ShownDelivery]
    status: DeliveryStatus | None
    statuses: Sequence[DeliveryStatus]
    next_page: str | None


OfStatus = Annotated[DeliveryStatus | None, BeforeValidator(lambda text: text or None), Query(alias="status")]


@router.get("/{webhook_id}")
def show_webhook(
    request: Request,
    webhook_id: IdPath,
    access: CanRead,
    database: DatabaseDep,
    of_status: OfStatus = None,
    after: AfterId = None,
) -> Response:
    """One webhook with its deliveries."""
    with database.reading() as session:
        webhook = webhooks.get(session, access.project, webhook_id)
        page = deliveries.list_page(session, access.project, webhook_id, of_status, after, DELIVERIES_A_PAGE)
        old_secret_signs = webhook.previous_until is not None and webhook.previous_until > clock(session)
    asked = {"status": of_status or ""}
    older = f"/webhooks/{webhook_id}?{urlencode({**asked, 'after': page.rows[-1].id})}" if page.has_more else None
    return page_response(
        request,
        WebhookPage(
            webhook=webhook_out(webhook),
            previous_until=webhook.previous_until if old_secret_signs else None,
            events=EVENTS,
            deliveries=[_shown(row) for row in page.rows],
            status=of_status,
            statuses=STATUSES,
            next_page=older,
        ),
    )


def _shown(delivery: WebhookDelivery) -> ShownDelivery:
    return ShownDelivery(
        id=delivery.id,
        type=delivery.type,
        status=delivery.status,  # type: ignore[arg-type]  # the database holds no other
        tries=delivery.tries,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        next_try_at=delivery.next_try_at,
        created_at=delivery.created_at,
        body=json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
    )
