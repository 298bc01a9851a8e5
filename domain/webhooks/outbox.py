"""What is to be told, written in the transaction in which it happens: so all of it is told, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.database import clock
from infra.ids import new_id
from infra.tables import Webhook, WebhookDelivery


def announce(session: Session, project: str, kind: str, data: dict[str, Any]) -> None:
    """Have the project's webhooks told that want to hear of it.

    Args:
        session: of the transaction in which it happens.
        project: whose.
        kind: of the event: ``job.succeeded``.
        data: what the body says of it; the id among it.
    """
    enabled = select(Webhook).where(Webhook.project == project, Webhook.enabled).order_by(Webhook.id)
    # None of them is deleted before this has been told to it.
    for webhook in session.scalars(enabled.with_for_update(read=True, key_share=True)):
        if kind in webhook.events:
            enqueue(session, webhook, kind, data)


def enqueue(session: Session, webhook: Webhook, kind: str, data: dict[str, Any]) -> WebhookDelivery:
    """Have one webhook told; the arguments are those of `announce`."""
    at = clock(session)
    body = {"type": kind, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    delivery = WebhookDelivery(
        id=new_id("msg"),
        webhook_id=webhook.id,
        project=webhook.project,
        type=kind,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status="pending",
        tries=0,
        next_try_at=at,
        created_at=at,
    )
    session.add(delivery)
    session.flush()
    return delivery
