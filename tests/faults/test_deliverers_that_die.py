"""An API process that is killed while it delivers: what it was delivering comes again, under the same id."""

from __future__ import annotations

from collections import Counter

from infra.database import Database
from infra.settings import Settings
from tests.support.api_process import running_api
from tests.support.keys import bearing, make_key
from tests.support.receiver import Told, receiving
from tests.support.waiting import wait_for


def test_nothing_is_lost_and_nothing_gets_another_id(settings: Settings, database: Database) -> None:
    key = bearing(make_key(database, "default"))
    near = settings.model_copy(update={"webhook_private_addresses": True})
    with receiving() as receiver:
        with running_api(near) as first:
            body = {"url": receiver.url, "enabled": False}
            webhook = first.client.post("/v1/webhooks", json=body, headers=key).json()
            address = f"/v1/webhooks/{webhook['id']}"

            def kill(_told: Told) -> tuple[int, dict[str, str], bytes]:
                first.process.kill()  # it will never know that this was taken
                return 200, {}, b""

            receiver.answer = kill
            sent = [first.client.post(f"{address}/test", headers=key).json()["id"] for _ in range(3)]
            first.client.patch(address, json={"enabled": True}, headers=key)
            first.process.wait()
        receiver.answer = lambda _told: (200, {}, b"")
        with running_api(near) as second:

            def all_delivered() -> bool:
                said = second.client.get(f"{address}/deliveries", headers=key).json()["data"]
                return all(each["status"] == "delivered" for each in said)

            wait_for("what was lost to come again", all_delivered, 90)
    assert set(receiver.ids) == set(sent)
    assert max(Counter(receiver.ids).values()) == 2
