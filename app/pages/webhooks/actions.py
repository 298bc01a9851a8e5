"""What the forms of a webhook's page do: change it, test it, rotate its secret, tell something again, delete it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.access.admission import Access
from app.access.dependencies import CanAdminister
from app.dependencies import DatabaseDep
from app.pages.checking import checked
from app.pages.forms import FormDep
from app.pages.secrets import shown_once
from app.pages.webhooks.asking import fields_said
from app.v1.parameters import IdPath
from backprop_client.wire.webhooks import TEST, WebhookPatch
from domain.webhooks import deliveries, outbox
from domain.webhooks import rows as webhooks
from infra.database import Database

router = APIRouter(prefix="/webhooks/{webhook_id}")


@dataclass(frozen=True)
class NewSecretPage:
    """A secret that signs from now on: the only time that it is shown.

    Attributes:
        webhook_id: whose.
        secret: what its deliveries are signed with.
        previous_until: until when the one before it signs, too.
    """

    template: ClassVar[str] = "webhooks/rotated.html"
    title: ClassVar[str] = "A new secret"
    webhook_id: str
    secret: str
    previous_until: datetime


@router.post("/change")
def change_webhook(webhook_id: IdPath, form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Change the address, the events and the description to what the form says."""
    return _changed(webhook_id, checked(WebhookPatch, fields_said(form)), access, database)


@router.post("/enable")
def enable_webhook(webhook_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Have it told again, also what has waited meanwhile."""
    return _changed(webhook_id, WebhookPatch(enabled=True), access, database)


@router.post("/disable")
def disable_webhook(webhook_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Have it told nothing for now."""
    return _changed(webhook_id, WebhookPatch(enabled=False), access, database)


@router.post("/test")
def send_test(webhook_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Have it told something that means nothing."""
    with database.writing() as session:
        webhook = webhooks.get_to_change(session, access.project, webhook_id)
        outbox.enqueue(session, webhook, TEST, {"id": webhook.id})
    return _back(webhook_id)


@router.post("/rotate")
def rotate_secret(
    request: Request, webhook_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep
) -> Response:
    """Let a new secret sign, and answer with it, this once."""
    with database.writing() as session:
        webhook = webhooks.get_to_change(session, access.project, webhook_id)
        until = webhooks.rotate(session, webhook)
        page = NewSecretPage(webhook.id, webhook.secret, until)
    return shown_once(request, page)


@router.post("/deliveries/{delivery_id}/replay")
def replay_delivery(
    webhook_id: IdPath, delivery_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep
) -> Response:
    """Have it told once more, under the same id."""
    with database.writing() as session:
        webhooks.get_to_change(session, access.project, webhook_id)
        deliveries.replay(session, deliveries.get(session, access.project, webhook_id, delivery_id))
    return _back(webhook_id)


@router.post("/delete")
def remove_webhook(webhook_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Delete it, and what it was still to be told."""
    with database.writing() as session:
        webhooks.remove(session, webhooks.get_to_change(session, access.project, webhook_id))
    return RedirectResponse("/webhooks", HTTPStatus.SEE_OTHER)


def _changed(webhook_id: str, patch: WebhookPatch, access: Access, database: Database) -> Response:
    with database.writing() as session:
        webhooks.change(session, webhooks.get_to_change(session, access.project, webhook_id), patch)
    return _back(webhook_id)


def _back(webhook_id: str) -> Response:
    return RedirectResponse(f"/webhooks/{webhook_id}", HTTPStatus.SEE_OTHER)
