"""Webhooks: what happens is told, signed, once under each id, and to nobody who must not be reached."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.deliveries import sending
from domain.access.projects import DEFAULT_PROJECT
from domain.jobs import control
from domain.webhooks import rows, schedule
from infra.settings import Settings
from tests.support.receiver import Receiver, Told, receiving
from tests.support.service import Service
from tests.support.waiting import wait_for

SECONDS = 20.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a service that looks often, and that may tell somebody on this machine unless a test says otherwise."""
    monkeypatch.setattr("app.deliveries.deliverer.LOOK_SECONDS", 0.05)
    return settings.model_copy(update={"webhook_private_addresses": getattr(request, "param", True)})


def made(service: Service, url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # of a webhook
    response = service.api.post("/v1/webhooks", json={"url": url, **more})
    assert response.status_code == 201, response.text
    webhook: dict[str, Any] = response.json()
    return webhook


def trained(service: Service) -> dict[str, Any]:
    dataset = service.upload_csv("a,y\n" + "".join(f"{row},{row % 2}\n" for row in range(12)))
    body = {"dataset_id": dataset["id"], "targets": ["y"], "task": "classification"}
    network = {"layers": [{"units": 2, "activation": "tanh"}, {"activation": "softmax"}]}
    return service.train({**body, "network": network, "training": {"preset": "tutorial", "iterations": 3}})


def ended(service: Service, webhook_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The webhook's deliveries, once so many have come to their end."""

    def all_ended() -> list[dict[str, Any]] | None:
        data: list[dict[str, Any]] = service.api.get(f"/v1/webhooks/{webhook_id}/deliveries").json()["data"]
        return data if len(data) >= count and all(each["finished_at"] for each in data) else None

    return wait_for("deliveries to end", all_ended, SECONDS)


def test_the_end_of_a_job_is_told_and_signed(service: Service, receiver: Receiver) -> None:
    webhook = made(service, receiver.url)
    other = made(service, receiver.url, events=["job.failed"])
    assert webhook["secret"].startswith("whsec_")
    assert "secret" not in service.api.get(f"/v1/webhooks/{webhook['id']}").json()
    job = trained(service)
    (delivery,) = ended(service, webhook["id"])
    (told,) = receiver.told
    assert Webhook(webhook["secret"]).verify(told.body, told.headers) == delivery["body"]
    assert delivery["body"]["type"] == "job.succeeded"
    assert delivery["body"]["data"]["id"] == job["id"]
    assert delivery["body"]["data"]["model_id"] == job["model_id"]
    assert (delivery["id"], delivery["status"], delivery["tries"]) == (told.headers["webhook-id"], "delivered", 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(other["secret"]).verify(told.body, told.headers)


def test_after_a_rotation_both_secrets_sign_and_a_replay_has_the_same_id(service: Service, receiver: Receiver) -> None:
    webhook = made(service, receiver.url)
    path = f"/v1/webhooks/{webhook['id']}"
    rotated = service.api.post(f"{path}/rotate").json()
    sent = service.api.post(f"{path}/test").json()
    ended(service, webhook["id"])
    assert service.api.post(f"{path}/deliveries/{sent['id']}/replay").status_code == 202
    wait_for("the replay", lambda: len(receiver.told) == 2, SECONDS)
    assert receiver.ids == [sent["id"]] * 2
    for told in receiver.told:
        for secret in (webhook["secret"], rotated["secret"]):
            assert Webhook(secret).verify(told.body, told.headers)["type"] == "webhook.test"
    assert receiver.told[0].body == receiver.told[1].body


def test_sent_again_under_its_key_nothing_is_rotated_or_told_twice(service: Service, receiver: Receiver) -> None:
    webhook = made(service, receiver.url)
    path, again = f"/v1/webhooks/{webhook['id']}", {"Idempotency-Key": "k"}
    first, second = (service.api.post(f"{path}/rotate", headers=again) for _ in range(2))
    assert first.content == second.content
    other = service.api.post(f"{path}/test", headers=again)
    assert other.json()["code"] == "idempotency_key_reused"
    sent = {service.api.post(f"{path}/test", headers={"Idempotency-Key": "t"}).json()["id"] for _ in range(2)}
    ended(service, webhook["id"])
    (told,) = receiver.told
    assert sent == set(receiver.ids)
    for secret in (webhook["secret"], first.json()["secret"]):  # the one that the receiver has still signs
        Webhook(secret).verify(told.body, told.headers)


def test_what_fails_is_tried_again_and_in_the_end_given_up(
    service: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(0),) * 3)
    receiver.answer = lambda _told: (500, {}, b"no")
    webhook = made(service, receiver.url)
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")
    (delivery,) = ended(service, webhook["id"])
    assert (delivery["status"], delivery["tries"], delivery["last_status"]) == ("failed", 4, 500)
    assert len(set(receiver.ids)) == 1
    assert len(receiver.told) == 4


@pytest.mark.parametrize(
    ("status", "headers", "least"),
    [(500, {}, 4), (503, {"Retry-After": "200"}, 200), (429, {}, 60), (302, {"Location": "/elsewhere"}, 4)],
)
def test_the_next_try_waits_as_it_should(
    service: Service, receiver: Receiver, status: int, headers: dict[str, str], least: float
) -> None:
    receiver.answer = lambda _told: (status, headers, b"")
    webhook = made(service, receiver.url)
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")

    def tried() -> dict[str, Any] | None:
        (delivery,) = service.api.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["data"]
        return delivery if delivery["tries"] == 1 else None

    delivery = wait_for("a try", tried, SECONDS)
    assert (delivery["status"], delivery["last_status"]) == ("pending", status)
    waits = timedelta(seconds=least)
    assert datetime.fromisoformat(delivery["next_try_at"]) - datetime.fromisoformat(delivery["created_at"]) >= waits
    assert [told.path for told in receiver.told] == ["/told"]


def test_who_is_gone_is_told_no_more(service: Service, receiver: Receiver) -> None:
    receiver.answer = lambda _told: (410, {}, b"")
    webhook = made(service, receiver.url)
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")
    (delivery,) = ended(service, webhook["id"])
    assert delivery["status"] == "failed"
    now = service.api.get(f"/v1/webhooks/{webhook['id']}").json()
    assert (now["enabled"], "410" in now["disabled_reason"]) == (False, True)
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")
    receiver.answer = lambda _told: (200, {}, b"")
    time.sleep(0.5)
    assert len(receiver.told) == 1
    enabled = service.api.patch(f"/v1/webhooks/{webhook['id']}", json={"enabled": True}).json()
    assert enabled["disabled_reason"] is None
    ended(service, webhook["id"], 2)
    assert len(receiver.told) == 2


def test_a_receiver_that_is_slow_or_says_much_holds_up_nobody(
    service: Service, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TRY_SECONDS", 1.0)

    def answer(told: Told) -> tuple[int, dict[str, str], bytes]:
        if told.path == "/slow":
            time.sleep(3)
        return 200, {}, b"x" * (2**22 if told.path == "/long" else 1)

    receiver.answer = answer
    slow, quick, long = (made(service, receiver.url.replace("/told", path)) for path in ("/slow", "/quick", "/long"))
    for webhook in (slow, quick, long):
        service.api.post(f"/v1/webhooks/{webhook['id']}/test")
    for webhook in (quick, long):
        assert ended(service, webhook["id"])[0]["status"] == "delivered"

    def given_up() -> bool:
        (delivery,) = service.api.get(f"/v1/webhooks/{slow['id']}/deliveries").json()["data"]
        return delivery["tries"] == 1 and "1 second" in delivery["last_error"]

    wait_for("the slow one to be given up", given_up, SECONDS)


@pytest.mark.parametrize("settings", [False], indirect=True)
def test_this_machine_is_not_reached_unless_a_setting_allows_it(service: Service, receiver: Receiver) -> None:
    webhook = made(service, receiver.url.replace("127.0.0.1", "localhost"))
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")

    def refused() -> bool:
        (delivery,) = service.api.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["data"]
        return "BACKPROP_WEBHOOK_PRIVATE_ADDRESSES" in (delivery["last_error"] or "")

    wait_for("the refusal", refused, SECONDS)
    assert receiver.told == []


def test_what_is_rolled_back_is_told_to_nobody(service: Service) -> None:
    webhook = made(service, "https://example.org/hook")
    job = service.submit(
        {
            "dataset_id": service.upload_csv("a,y\n1,0\n2,1\n3,0\n")["id"],
            "targets": ["y"],
            "task": "classification",
            "network": {"layers": [{"units": 2}, {}]},
        }
    )

    def waiting() -> int:
        return len(service.api.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["data"])

    with pytest.raises(ZeroDivisionError), service.database.writing() as session:
        control.request_cancel(session, DEFAULT_PROJECT, job["id"])
        raise ZeroDivisionError
    assert waiting() == 0
    service.api.post(f"/v1/jobs/{job['id']}/cancel")
    assert waiting() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://example.org/"},
        {"url": "http://user:secret@example.org/"},
        {"url": "https://example.org/#part"},
        {"url": "example.org"},
        {"url": " https://example.org/"},
        {"url": "http://localhost\\@example.org/"},
        {"url": "https://example.org/", "events": []},
        {"url": "https://example.org/", "events": ["job.started"]},
        {"url": f"https://example.org/{'x' * 2_000}"},
        {"url": "https://example.org/", "colour": "red"},
    ],
)
def test_what_is_no_webhook_is_refused(service: Service, body: dict[str, Any]) -> None:
    response = service.api.post("/v1/webhooks", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_project_has_so_many_and_deletes_them_with_what_they_wait_for(service: Service) -> None:
    *_, webhook = [made(service, "https://example.org/", enabled=False) for _ in range(rows.MOST_WEBHOOKS)]
    refused = service.api.post("/v1/webhooks", json={"url": "https://example.org/"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_webhooks")
    service.api.post(f"/v1/webhooks/{webhook['id']}/test")
    assert service.api.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
    assert service.api.get(f"/v1/webhooks/{webhook['id']}/deliveries").status_code == 404
    made(service, "https://example.org/", description="in its place")
    assert json.loads(service.api.get("/v1/webhooks?limit=1").text)["data"][0]["description"] == "in its place"
