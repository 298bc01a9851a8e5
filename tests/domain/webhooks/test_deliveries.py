"""Who takes which deliveries, and what is kept of how they went."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from backprop_client.wire.webhooks import WebhookIn, WebhookPatch
from domain.access.projects import DEFAULT_PROJECT
from domain.webhooks import deliveries, outbox, rows
from domain.webhooks.deliveries import AT_A_TIME_TO_ONE, Due, Outcome
from infra.database import Database
from infra.tables import Webhook, WebhookDelivery


def webhook_with(database: Database, waiting: int) -> str:
    """The id of a webhook that is to be told so much."""
    with database.writing() as session:
        webhook = rows.create(session, DEFAULT_PROJECT, WebhookIn(url="https://example.org/"))
        for number in range(waiting):
            outbox.enqueue(session, webhook, "job.succeeded", {"id": f"job_{number}"})
        return webhook.id


def taken(database: Database, most: int) -> list[Due]:
    with database.writing() as session:
        return deliveries.take_due(session, most)


def test_whoever_has_much_to_hear_takes_no_place_of_others(database: Database) -> None:
    slow, quick = webhook_with(database, 20), webhook_with(database, 2)
    first = taken(database, 16)
    assert Counter(due.webhook.id for due in first) == {slow: AT_A_TIME_TO_ONE, quick: 2}
    assert taken(database, 16) == []
    with database.reading() as session:
        assert deliveries.seconds_until_due(session) == 0
    with database.writing() as session:
        deliveries.record(session, first[0], Outcome(200, None))
    (further,) = taken(database, 16)
    assert further.webhook.id == slow
    assert further.id not in {due.id for due in first}


def test_no_more_are_taken_than_are_wanted_and_the_oldest_first(database: Database) -> None:
    webhook_with(database, 3)
    with database.reading() as session:
        oldest = session.scalars(select(WebhookDelivery.id).order_by(WebhookDelivery.next_try_at, WebhookDelivery.id))
        expected = list(oldest)[:2]
    assert [due.id for due in taken(database, 2)] == expected


def test_what_is_being_tried_is_not_due(database: Database) -> None:
    webhook_with(database, 1)
    taken(database, 16)
    with database.reading() as session:
        assert deliveries.seconds_until_due(session) is None


@pytest.mark.parametrize("seconds", [float("inf"), 1e300, 1e12])
def test_whatever_a_receiver_asks_for_is_kept(database: Database, seconds: float) -> None:
    webhook_with(database, 1)
    (due,) = taken(database, 1)
    with database.writing() as session:
        deliveries.record(session, due, Outcome(503, "It answered 503.", seconds))
    with database.reading() as session:
        (delivery,) = session.scalars(select(WebhookDelivery))
        assert (delivery.tries, delivery.status) == (1, "pending")
        until = deliveries.seconds_until_due(session)
    assert until is not None
    assert 86_000 < until <= 86_400


def test_an_address_that_is_gone_disables_nothing_once_there_is_another(database: Database) -> None:
    webhook_id = webhook_with(database, 1)
    (due,) = taken(database, 1)
    with database.writing() as session:
        webhook = rows.get_to_change(session, DEFAULT_PROJECT, webhook_id)
        rows.change(session, webhook, WebhookPatch(url="https://example.org/new"))
    with database.writing() as session:
        deliveries.record(session, due, Outcome(410, "It answered 410."))
    with database.reading() as session:
        assert session.scalars(select(Webhook.enabled)).all() == [True]
        assert session.scalars(select(WebhookDelivery.status)).all() == ["pending"]
