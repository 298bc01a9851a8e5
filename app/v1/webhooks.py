"""`/v1/webhooks`: addresses that are told when something has ended."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from app.access.dependencies import CanAdminister, CanRead
from app.access.idempotency import OnceDep, answered
from app.dependencies import DatabaseDep
from app.errors import responses
from app.v1.answers import webhook_out
from app.v1.parameters import After, IdPath, Limit
from backprop_client.wire.webhooks import (
    TEST,
    DeliveryOut,
    DeliveryPage,
    DeliveryStatus,
    NewSecretOut,
    NewWebhookOut,
    WebhookIn,
    WebhookOut,
    WebhookPage,
    WebhookPatch,
)
from domain.access.idempotency import Answer
from domain.webhooks import deliveries, outbox
from domain.webhooks import rows as webhooks
from infra.errors import Conflict, NotFound, TooMany
from infra.tables import WebhookDelivery

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

OfStatus = Annotated[DeliveryStatus | None, Query(alias="status", description="Only those with this status.")]


def _delivery_out(delivery: WebhookDelivery) -> DeliveryOut:
    said = {name: getattr(delivery, name) for name in DeliveryOut.model_fields if name != "body"}
    return DeliveryOut.model_validate({**said, "body": json.loads(delivery.body)})


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=NewWebhookOut,
    responses=responses(Conflict, TooMany),
    operation_id="webhooks_create",
)
def create_webhook(body: WebhookIn, access: CanAdminister, database: DatabaseDep, once: OnceDep) -> Response:
    """Have an address told when jobs and predictions end. The answer has the secret, this once."""
    with once.turn(body.model_dump_json()) as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            webhook = webhooks.create(session, access.project, body)
            made = NewWebhookOut(**webhook_out(webhook).model_dump(), secret=webhook.secret)
            location = {"Location": f"/v1/webhooks/{webhook.id}"}
            answer = turn.keep(session, Answer(status.HTTP_201_CREATED, made.model_dump_json().encode(), location))
    return answered(answer)


@router.get("", responses=responses(), operation_id="webhooks_list")
def list_webhooks(access: CanRead, database: DatabaseDep, after: After = None, limit: Limit = 20) -> WebhookPage:
    """The webhooks, newest first."""
    with database.reading() as session:
        page = webhooks.list_page(session, access.project, after, limit)
    return WebhookPage(data=[webhook_out(row) for row in page.rows], has_more=page.has_more)


@router.get("/{webhook_id}", responses=responses(NotFound), operation_id="webhooks_get")
def get_webhook(webhook_id: IdPath, access: CanRead, database: DatabaseDep) -> WebhookOut:
    """One of them."""
    with database.reading() as session:
        return webhook_out(webhooks.get(session, access.project, webhook_id))


@router.patch("/{webhook_id}", responses=responses(NotFound), operation_id="webhooks_update")
def change_webhook(webhook_id: IdPath, body: WebhookPatch, access: CanAdminister, database: DatabaseDep) -> WebhookOut:
    """Change one. What waited while it was disabled is delivered when it is enabled."""
    with database.writing() as session:
        webhook = webhooks.get_to_change(session, access.project, webhook_id)
        webhooks.change(session, webhook, body)
        return webhook_out(webhook)


@router.delete(
    "/{webhook_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(NotFound),
    operation_id="webhooks_delete",
)
def remove_webhook(webhook_id: IdPath, access: CanAdminister, database: DatabaseDep) -> None:
    """Delete one, and what it was still to be told."""
    with database.writing() as session:
        webhooks.remove(session, webhooks.get_to_change(session, access.project, webhook_id))


@router.post(
    "/{webhook_id}/rotate",
    response_model=NewSecretOut,
    responses=responses(NotFound, Conflict),
    operation_id="webhooks_rotate",
)
def rotate_secret(webhook_id: IdPath, access: CanAdminister, database: DatabaseDep, once: OnceDep) -> Response:
    """Let a new secret sign, which the answer has, this once. The old one signs beside it for a day."""
    with once.turn("") as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            webhook = webhooks.get_to_change(session, access.project, webhook_id)
            until = webhooks.rotate(session, webhook)
            made = NewSecretOut(secret=webhook.secret, previous_until=until)
            answer = turn.keep(session, Answer(status.HTTP_200_OK, made.model_dump_json().encode(), {}))
    return answered(answer)


@router.post(
    "/{webhook_id}/test",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=DeliveryOut,
    responses=responses(NotFound, Conflict),
    operation_id="webhooks_test",
)
def test_webhook(webhook_id: IdPath, access: CanAdminister, database: DatabaseDep, once: OnceDep) -> Response:
    """Have it told something that means nothing."""
    with once.turn("") as turn:
        if turn.first_answer is not None:
            return answered(turn.first_answer)
        with database.writing() as session:
            webhook = webhooks.get_to_change(session, access.project, webhook_id)
            queued = _delivery_out(outbox.enqueue(session, webhook, TEST, {"id": webhook.id}))
            answer = turn.keep(session, Answer(status.HTTP_202_ACCEPTED, queued.model_dump_json().encode(), {}))
    return answered(answer)


@router.get("/{webhook_id}/deliveries", responses=responses(NotFound), operation_id="webhooks_deliveries")
def list_deliveries(
    webhook_id: IdPath,
    access: CanRead,
    database: DatabaseDep,
    of_status: OfStatus = None,
    after: After = None,
    limit: Limit = 20,
) -> DeliveryPage:
    """What it is told and was told in the last 30 days, newest first."""
    with database.reading() as session:
        webhooks.get(session, access.project, webhook_id)
        page = deliveries.list_page(session, access.project, webhook_id, of_status, after, limit)
        return DeliveryPage(data=[_delivery_out(row) for row in page.rows], has_more=page.has_more)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=status.HTTP_202_ACCEPTED,
    responses=responses(NotFound),
    operation_id="webhooks_replay",
)
def replay_delivery(
    webhook_id: IdPath, delivery_id: IdPath, access: CanAdminister, database: DatabaseDep
) -> DeliveryOut:
    """Have it told once more, under the same id."""
    with database.writing() as session:
        webhooks.get_to_change(session, access.project, webhook_id)
        delivery = deliveries.get(session, access.project, webhook_id, delivery_id)
        deliveries.replay(session, delivery)
        return _delivery_out(delivery)
