"""The pages about webhooks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.pages.webhooks import single
from backprop_client.wire.webhooks import EVENTS
from domain.webhooks import deliveries
from domain.webhooks.deliveries import Outcome
from domain.webhooks.rows import MOST_WEBHOOKS
from infra.database import Database
from infra.tables import Webhook
from tests.support.keys import bearing, make_key
from tests.support.pages import ESCAPED, HOSTILE, led_to, refused, sent, shown, words_of

ADDRESS = "https://example.org/hook"


def created(api: TestClient, **fields: object) -> str:
    """A webhook's id."""
    webhook: dict[str, Any] = api.post("/v1/webhooks", json={"url": ADDRESS, **fields}).json()
    return str(webhook["id"])


def secret_of(database: Database, webhook_id: str) -> str:
    with database.reading() as session:
        return session.get_one(Webhook, webhook_id).secret


def tried(database: Database, outcome: Outcome) -> None:
    """Let what is due be tried, with that outcome."""
    with database.writing() as session:
        due = deliveries.take_due(session, 10)
    for each in due:
        with database.writing() as session:
            deliveries.record(session, each, outcome)


def test_the_secret_is_in_the_answer_that_made_it_and_nowhere_else(api: TestClient, database: Database) -> None:
    assert "Nobody is told of anything yet." in shown(api, "/webhooks")
    answer = sent(api, "/webhooks", {"url": ADDRESS, "event": ["job.failed", "job.succeeded"], "description": "Mine"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    with database.reading() as session:
        webhook = session.scalars(select(Webhook)).one()
    assert (webhook.url, webhook.description) == (ADDRESS, "Mine")
    assert set(webhook.events) == {"job.failed", "job.succeeded"}
    assert answer.text.count(webhook.secret) == 1
    for page in ("/webhooks", f"/webhooks/{webhook.id}"):
        html = shown(api, page)
        assert "whsec_" not in html
        assert ADDRESS in html


def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_while(api: TestClient, database: Database) -> None:
    webhook_id = created(api)
    old = secret_of(database, webhook_id)
    assert "Old secret" not in shown(api, f"/webhooks/{webhook_id}")
    answer = sent(api, f"/webhooks/{webhook_id}/rotate")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    new = secret_of(database, webhook_id)
    assert new != old
    assert new in answer.text
    assert old not in answer.text
    html = shown(api, f"/webhooks/{webhook_id}")
    assert "It signs beside the new one until" in html
    assert "whsec_" not in html


@pytest.mark.parametrize(
    "fields",
    [{}, {"url": "ftp://example.org", "event": "job.failed"}, {"url": ADDRESS}, {"url": ADDRESS, "event": "job.begun"}],
)
def test_what_is_no_webhook_is_refused(api: TestClient, fields: dict[str, str]) -> None:
    assert refused(sent(api, "/webhooks", fields)) == (422, "invalid_request")
    assert api.get("/v1/webhooks").json()["data"] == []


def test_where_there_are_as_many_as_there_can_be_no_form_is_shown(api: TestClient) -> None:
    for _ in range(MOST_WEBHOOKS):
        created(api)
    html = shown(api, "/webhooks")
    assert html.count(f">{ADDRESS}</a>") == MOST_WEBHOOKS
    assert f"A project has {MOST_WEBHOOKS} webhooks at most." in html
    assert refused(sent(api, "/webhooks", {"url": ADDRESS, "event": "job.failed"})) == (429, "too_many_webhooks")


def test_a_test_is_sent_tried_and_replayed(api: TestClient, database: Database) -> None:
    webhook_id = created(api)
    here = f"/webhooks/{webhook_id}"
    assert "It has been told of nothing yet." in shown(api, here)
    assert led_to(sent(api, f"{here}/test")) == here
    assert "pending 0 –" in words_of(shown(api, here))
    tried(database, Outcome(503, "It answered 503."))
    said = words_of(shown(api, here))
    assert "pending 1 503 It answered 503." in said
    assert f'"id": "{webhook_id}"' in said  # what is sent
    assert "No delivery is failed." in shown(api, f"{here}?status=failed")
    (delivery,) = api.get(f"/v1{here}/deliveries").json()["data"]
    assert led_to(sent(api, f"{here}/deliveries/{delivery['id']}/replay")) == here
    tried(database, Outcome(204, None))
    assert "delivered 1 204 –" in words_of(shown(api, f"{here}?status=delivered"))
    assert refused(sent(api, f"{here}/deliveries/msg_none/replay")) == (404, "delivery_not_found")
    assert refused(api.get(f"{here}?status=lost")) == (422, "invalid_request")


def test_deliveries_come_in_pages_and_keep_their_filter(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single, "DELIVERIES_A_PAGE", 2)
    webhook_id = created(api)
    for _ in range(3):
        sent(api, f"/webhooks/{webhook_id}/test")
    first = shown(api, f"/webhooks/{webhook_id}?status=pending")
    (older,) = re.findall(r'<a href="([^"]*)" rel="next">', first)
    assert "status=pending" in older
    second = shown(api, older.replace("&amp;", "&"))
    assert (first.count("/replay"), second.count("/replay")) == (2, 1)
    assert 'rel="next"' not in second


def test_it_is_disabled_enabled_changed_and_deleted(api: TestClient) -> None:
    webhook_id = created(api, description="Old")
    here = f"/webhooks/{webhook_id}"
    assert led_to(sent(api, f"{here}/disable")) == here
    assert "What happens meanwhile waits." in shown(api, here)
    assert "disabled" in words_of(shown(api, "/webhooks"))
    led_to(sent(api, f"{here}/enable"))
    assert api.get(f"/v1{here}").json()["enabled"] is True
    led_to(sent(api, f"{here}/change", {"url": f"{ADDRESS}/new", "event": "job.failed", "description": ""}))
    changed = api.get(f"/v1{here}").json()
    assert (changed["url"], changed["events"], changed["description"]) == (f"{ADDRESS}/new", ["job.failed"], None)
    assert refused(sent(api, f"{here}/change", {"url": ADDRESS})) == (422, "invalid_request")
    assert led_to(sent(api, f"{here}/delete")) == "/webhooks"
    assert refused(api.get(here)) == (404, "webhook_not_found")


def test_descriptions_and_addresses_are_text_whatever_is_in_them(api: TestClient) -> None:
    webhook_id = created(api, url=f"{ADDRESS}?a=1&lt=<b>", description=HOSTILE)
    for page in ("/webhooks", f"/webhooks/{webhook_id}"):
        html = shown(api, page)
        assert HOSTILE not in html
        assert ESCAPED in html
        assert "?a=1&amp;lt=%3Cb%3E" in html


def test_another_project_and_too_small_a_scope_see_and_change_nothing(api: TestClient, database: Database) -> None:
    webhook_id = created(api)
    here = f"/webhooks/{webhook_id}"
    other, trainer = bearing(make_key(database, "other")), bearing(make_key(database, "default", ["read", "train"]))
    before = secret_of(database, webhook_id)
    assert refused(api.get(here, headers=other)) == (404, "webhook_not_found")
    fields = {"url": ADDRESS, "event": list(EVENTS)}
    for form in ("change", "enable", "disable", "test", "rotate", "delete", "deliveries/msg_1/replay"):
        assert refused(sent(api, f"{here}/{form}", fields, headers=other)) == (404, "webhook_not_found")
        assert refused(sent(api, f"{here}/{form}", fields, headers=trainer)) == (403, "scope_admin_required")
    assert refused(sent(api, "/webhooks", fields, headers=trainer)) == (403, "scope_admin_required")
    assert 'method="post"' not in shown(api, here, headers=trainer)
    assert 'method="post"' not in shown(api, "/webhooks", headers=trainer)
    assert ADDRESS not in shown(api, "/webhooks", headers=other)
    assert secret_of(database, webhook_id) == before
