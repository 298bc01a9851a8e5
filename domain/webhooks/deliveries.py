"""Deliveries: who may try them next, and what came of it.

Of any number of processes that deliver, one at a time has a delivery: it takes it with a token, for a while. If that
process dies, another takes it when the time is over, and sends the same body under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from backprop_client.wire.webhooks import DeliveryStatus
from domain.access.projects import Project
from domain.webhooks.schedule import next_delay
from infra.database import clock
from infra.errors import NotFound
from infra.paging import Page, page
from infra.tables import Webhook, WebhookDelivery

LEASE = timedelta(seconds=20)
"""A try takes 15 seconds at most. Who has not told what came of it after so long is dead."""

KEPT = timedelta(days=30)
"""A delivery that has come to its end is kept for so long."""

LONGEST_ERROR = 500
"""Characters of what is kept of an error."""

AT_A_TIME_TO_ONE = 4
"""Deliveries to one webhook that are tried at the same time. Those that wait for a slow receiver hold up no other's."""

_GONE = 410
"""The status of a receiver that wants to hear no more."""


@dataclass(frozen=True)
class Due:
    """A delivery that this process has taken.

    Attributes:
        id: of it.
        webhook: to be told.
        body: to be sent.
        token: names who has taken it.
    """

    id: str
    webhook: Webhook
    body: str
    token: str


@dataclass(frozen=True)
class Outcome:
    """What came of a try.

    Attributes:
        status: of the answer; None if none came.
        error: why it failed; None if it did not.
        retry_after: seconds that the receiver asks for; None if it does not.
    """

    status: int | None
    error: str | None
    retry_after: float | None = None


def take_due(session: Session, most: int) -> list[Due]:
    """Take deliveries that are due, the longest due first: at most so many, and `AT_A_TIME_TO_ONE` of one webhook."""
    now = clock(session)
    rows = session.execute(
        select(WebhookDelivery, Webhook)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(*_due_and_free(now), Webhook.enabled, WebhookDelivery.id.in_(_within_their_share(now)))
        .order_by(WebhookDelivery.next_try_at, WebhookDelivery.id)
        .limit(most)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    ).all()
    due = []
    for delivery, webhook in rows:
        delivery.token, delivery.taken_until = uuid4().hex, now + LEASE
        due.append(Due(delivery.id, webhook, delivery.body, delivery.token))
    session.flush()
    session.expunge_all()  # the webhooks are looked at when this transaction has ended
    return due


def _due_and_free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WebhookDelivery.status == "pending", WebhookDelivery.next_try_at <= now, _is_free(now)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(WebhookDelivery.taken_until.is_(None), WebhookDelivery.taken_until < now)


def _within_their_share(now: datetime) -> Select[tuple[str]]:
    """The ids of those that are so few, with what is being tried, that their webhooks may be told now."""
    under_way = (
        select(WebhookDelivery.webhook_id, func.count().label("count"))
        .where(WebhookDelivery.status == "pending", WebhookDelivery.taken_until >= now)
        .group_by(WebhookDelivery.webhook_id)
        .subquery()
    )
    order = (WebhookDelivery.next_try_at, WebhookDelivery.id)
    place = func.row_number().over(partition_by=WebhookDelivery.webhook_id, order_by=order).label("place")
    waiting = select(WebhookDelivery.id, WebhookDelivery.webhook_id, place).where(*_due_and_free(now)).subquery()
    return (
        select(waiting.c.id)
        .outerjoin(under_way, under_way.c.webhook_id == waiting.c.webhook_id)
        .where(waiting.c.place + func.coalesce(under_way.c.count, 0) <= AT_A_TIME_TO_ONE)
    )


def seconds_until_due(session: Session) -> float | None:
    """Until the next delivery is due that is not taken; None if none waits."""
    now = clock(session)
    soonest: datetime | None = session.scalar(
        select(func.min(WebhookDelivery.next_try_at))
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.status == "pending", _is_free(now), Webhook.enabled)
    )
    return None if soonest is None else max(0.0, (soonest - now).total_seconds())


def record(session: Session, due: Due, outcome: Outcome) -> None:
    """Keep what came of a try, unless another process has taken the delivery over meanwhile."""
    is_gone = outcome.status == _GONE and _is_still_told_there(session, due.webhook)
    delivery = session.scalar(
        select(WebhookDelivery)
        .where(WebhookDelivery.id == due.id, WebhookDelivery.token == due.token)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if delivery is None or delivery.status != "pending":
        return
    now = clock(session)
    delivery.tries += 1
    delivery.token = delivery.taken_until = None
    delivery.last_status, delivery.last_error = outcome.status, outcome.error and outcome.error[:LONGEST_ERROR]
    delay = next_delay(delivery.tries, outcome.status, outcome.retry_after)
    if outcome.error is None:
        _finish(delivery, "delivered", now)
    elif is_gone:
        _finish(delivery, "failed", now)
        reason = "The receiver answered 410: it wants to hear no more."
        session.execute(
            update(Webhook).where(Webhook.id == due.webhook.id).values(enabled=False, disabled_reason=reason)
        )
    elif delay is None:
        _finish(delivery, "failed", now)
    else:
        delivery.next_try_at = now + delay
    session.flush()


def _is_still_told_there(session: Session, webhook: Webhook) -> bool:
    """Whether its address is the one that was tried. If so, that stays so: whoever changes a webhook locks it first."""
    url = session.scalar(select(Webhook.url).where(Webhook.id == webhook.id).with_for_update())
    return url == webhook.url


def _finish(delivery: WebhookDelivery, status: DeliveryStatus, now: datetime) -> None:
    delivery.status, delivery.next_try_at, delivery.finished_at = status, None, now


def get(session: Session, project: Project, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """One of a webhook's.

    Raises:
        NotFound: there is none (code ``delivery_not_found``).
    """
    found = session.scalar(
        select(WebhookDelivery).where(
            WebhookDelivery.id == delivery_id,
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.project == project,
        )
    )
    if found is None:
        raise NotFound("delivery_not_found", f"There is no delivery {delivery_id} of webhook {webhook_id}.")
    return found


def list_page(
    session: Session, project: Project, webhook_id: str, status: DeliveryStatus | None, after: str | None, limit: int
) -> Page[WebhookDelivery]:
    """A webhook's, newest first."""
    conditions = [WebhookDelivery.webhook_id == webhook_id]
    if status is not None:
        conditions.append(WebhookDelivery.status == status)
    return page(session, WebhookDelivery, project, *conditions, after=after, limit=limit)


def replay(session: Session, delivery: WebhookDelivery) -> None:
    """Have it tried again from the beginning, under the same id."""
    delivery.status, delivery.tries, delivery.finished_at = "pending", 0, None
    delivery.next_try_at = clock(session)
    delivery.token = delivery.taken_until = None
    session.flush()


def forget_old(session: Session) -> None:
    """Delete deliveries that came to their end long ago."""
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.finished_at < clock(session) - KEPT))
