"""The webhooks' repository."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from backprop_client.wire.webhooks import WebhookIn, WebhookPatch
from domain.access.projects import Project
from domain.webhooks.secrets import OVERLAP, new_secret
from infra.database import clock
from infra.errors import NotFound, TooMany
from infra.ids import new_id
from infra.paging import Page, page
from infra.tables import Webhook, WebhookDelivery

MOST_WEBHOOKS = 20
"""Webhooks of one project. Each is told of each end."""


def create(session: Session, project: Project, asked: WebhookIn) -> Webhook:
    """Make one.

    Raises:
        TooMany: there are `MOST_WEBHOOKS` (code ``too_many_webhooks``).
    """
    there = session.scalar(select(func.count()).select_from(Webhook).where(Webhook.project == project)) or 0
    if there >= MOST_WEBHOOKS:
        raise TooMany("too_many_webhooks", f"A project has {MOST_WEBHOOKS} webhooks at most.", retry_after=60)
    now = clock(session)
    webhook = Webhook(
        id=new_id("wh"),
        project=project,
        url=asked.url,
        events=list(asked.events),
        description=asked.description,
        enabled=asked.enabled,
        secret=new_secret(),
        created_at=now,
        updated_at=now,
    )
    session.add(webhook)
    session.flush()
    return webhook


def get(session: Session, project: Project, webhook_id: str) -> Webhook:
    """The project's webhook of that id. Raises NotFound: there is none (code ``webhook_not_found``)."""
    return _found(session.scalar(_that(project, webhook_id)), webhook_id)


def get_to_change(session: Session, project: Project, webhook_id: str) -> Webhook:
    """The same, locked until the transaction ends: nothing is announced to it meanwhile."""
    return _found(session.scalar(_that(project, webhook_id).with_for_update()), webhook_id)


def _that(project: Project, webhook_id: str) -> Select[Webhook]:
    return select(Webhook).where(Webhook.id == webhook_id, Webhook.project == project)


def _found(webhook: Webhook | None, webhook_id: str) -> Webhook:
    if webhook is None:
        raise NotFound("webhook_not_found", f"There is no webhook {webhook_id}.")
    return webhook


def list_page(session: Session, project: Project, after: str | None, limit: int) -> Page[Webhook]:
    """The project's webhooks, newest first."""
    return page(session, Webhook, project, after=after, limit=limit)


def change(session: Session, webhook: Webhook, asked: WebhookPatch) -> None:
    """Change what is given. Who enables a webhook forgets why it was disabled."""
    given = asked.model_fields_set
    if asked.url is not None:
        webhook.url = asked.url
    if asked.events is not None:
        webhook.events = list(asked.events)
    if "description" in given:
        webhook.description = asked.description
    if asked.enabled is not None:
        webhook.enabled = asked.enabled
        webhook.disabled_reason = None
    webhook.updated_at = clock(session)
    session.flush()


def rotate(session: Session, webhook: Webhook) -> datetime:
    """Let a new secret sign; gives until when the one before it signs, too."""
    now = clock(session)
    until: datetime = now + OVERLAP
    webhook.previous_secret, webhook.previous_until = webhook.secret, until
    webhook.secret, webhook.updated_at = new_secret(), now
    session.flush()
    return until


def remove(session: Session, webhook: Webhook) -> None:
    """Delete it, which is locked, and what it was to be told."""
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id))
    session.delete(webhook)
    session.flush()
