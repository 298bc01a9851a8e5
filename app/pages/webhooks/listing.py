"""`/webhooks`: addresses that are told when something has ended, and a form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from app.access.dependencies import CanAdminister, CanRead
from app.dependencies import DatabaseDep
from app.pages.checking import checked
from app.pages.forms import FormDep
from app.pages.rendering import page_response
from app.pages.secrets import shown_once
from app.pages.webhooks.asking import fields_said
from app.v1.answers import webhook_out
from backprop_client.wire.webhooks import EVENTS, WebhookIn, WebhookOut
from domain.webhooks import rows as webhooks
from domain.webhooks.rows import MOST_WEBHOOKS

router = APIRouter(prefix="/webhooks")


@dataclass(frozen=True)
class WebhooksPage:
    """The list, and a form that makes one.

    Attributes:
        webhooks: all of the project's, newest first.
        most: how many there can be.
        events: of what one can be told.
    """

    template: ClassVar[str] = "webhooks/list.html"
    title: ClassVar[str] = "Webhooks"
    webhooks: Sequence[WebhookOut]
    most: int
    events: Sequence[str]


@dataclass(frozen=True)
class NewWebhookPage:
    """A webhook that has just been made: the only time that its secret is shown.

    Attributes:
        webhook: what is known of it.
        secret: what its deliveries are signed with.
    """

    template: ClassVar[str] = "webhooks/made.html"
    title: ClassVar[str] = "A new webhook"
    webhook: WebhookOut
    secret: str


@router.get("")
def list_webhooks(request: Request, access: CanRead, database: DatabaseDep) -> Response:
    """The webhooks. There are so few that one page has them all."""
    with database.reading() as session:
        page = webhooks.list_page(session, access.project, None, MOST_WEBHOOKS)
    return page_response(request, WebhooksPage([webhook_out(row) for row in page.rows], MOST_WEBHOOKS, EVENTS))


@router.post("")
def create_webhook(request: Request, form: FormDep, access: CanAdminister, database: DatabaseDep) -> Response:
    """Make a webhook, and answer with its secret, this once."""
    asked = checked(WebhookIn, fields_said(form))
    with database.writing() as session:
        made = webhooks.create(session, access.project, asked)
        page = NewWebhookPage(webhook_out(made), made.secret)
    return shown_once(request, page)
