"""An API process that is killed while it delivers: what it was delivering comes again, under the same id."""

from __future__ import annotations

from collections import Counter

from cli.own_client import client_of
from infra.database import Database
from infra.settings import Settings
from tests.support.api_process import running_api
from tests.support.keys import make_key
from tests.support.receiver import Told, receiving
from tests.support.waiting import wait_for


def test_nothing_is_lost_and_nothing_gets_another_id(settings: Settings, database: Database) -> None:
    key = make_key(database, "default")
    near = settings.model_copy(update={"webhook_private_addresses": True})
    with receiving() as receiver:
        with running_api(near) as first, client_of(first.url, key) as client:
            webhook = client.webhooks.create(url=receiver.url, enabled=False).id

            def kill(_told: Told) -> tuple[int, dict[str, str], bytes]:
                first.process.kill()  # it will never know that this was taken
                return 200, {}, b""

            receiver.answer = kill
            sent = [client.webhooks.test(webhook).id for _ in range(3)]
            client.webhooks.update(webhook, enabled=True)
            first.process.wait()
        receiver.answer = lambda _told: (200, {}, b"")
        with running_api(near) as second, client_of(second.url, key) as client:

            def all_delivered() -> bool:
                return all(each.status == "delivered" for each in client.webhooks.deliveries(webhook))

            wait_for("what was lost to come again", all_delivered, 90)
    assert set(receiver.ids) == set(sent)
    assert max(Counter(receiver.ids).values()) == 2
