"""What is announced to a webhook that is being deleted."""

from __future__ import annotations

import threading

from sqlalchemy import select

from backprop_client.wire.webhooks import WebhookIn
from domain.access.projects import DEFAULT_PROJECT
from domain.webhooks import outbox, rows
from infra.database import Database
from infra.tables import Webhook, WebhookDelivery


def test_a_deletion_waits_for_what_is_being_announced(database: Database) -> None:
    with database.writing() as session:
        webhook_id = rows.create(session, DEFAULT_PROJECT, WebhookIn(url="https://example.org/")).id

    def delete() -> None:
        with database.writing() as session:
            rows.remove(session, rows.get_to_change(session, DEFAULT_PROJECT, webhook_id))

    deleting = threading.Thread(target=delete)
    with database.writing() as session:
        outbox.announce(session, DEFAULT_PROJECT, "job.succeeded", {"id": "job_1"})
        deleting.start()
        deleting.join(0.3)
        assert deleting.is_alive()
    deleting.join(30)
    with database.reading() as session:
        assert session.scalars(select(Webhook.id)).all() == []
        assert session.scalars(select(WebhookDelivery.id)).all() == []
