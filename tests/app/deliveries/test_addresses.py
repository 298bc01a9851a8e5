"""Webhooks reach the internet, and nothing of the service's own network."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import cycle

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.sending import deliver
from domain.webhooks.addresses import Forbidden, allowed, is_public
from domain.webhooks.deliveries import Due
from domain.webhooks.secrets import new_secret
from infra.tables import Webhook

PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "2002:7f00:1::"),
    *("0.1.2.3", "192.0.0.9", "192.88.99.1", "198.51.100.1", "203.0.113.1", "239.255.255.250", "100.127.255.255"),
    *("fec0::1", "3fff::1", "5f00::1", "4000::1", "100::1", "ff0e::1", "2001::1", "2001:20::1", "2002:808:808::"),
    *("64:ff9b:1::808:808", "::8.8.8.8", "::ffff:0:8.8.8.8", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_internet_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Forbidden, match="BACKPROP_WEBHOOK_PRIVATE_ADDRESSES"):
        allowed("host", [address], private_too=False)
    assert allowed("host", [address], private_too=True) == address


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "2001:4860:4860::8888", "2a00::1"]
)
def test_what_is_is_reached(address: str) -> None:
    assert is_public(address)
    assert allowed("host", ["127.0.0.1", address], private_too=False) == address


@given(st.ip_addresses())
def test_what_python_takes_for_private_is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert address.is_global or not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    for inside in (f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))):
        assert is_public(inside) == is_public(str(address))


def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """The connection goes to the address that was looked at, under the name, and is asked for once."""
    asked: list[httpx2.Request] = []
    answers = cycle([["93.184.215.14"], ["127.0.0.1"]])

    async def try_once() -> None:
        async def taken() -> AsyncIterator[bytes]:
            yield b"taken"

        def answer(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            return httpx2.Response(200, content=taken())

        transport = httpx2.MockTransport(answer)
        webhook = Webhook(id="wh_1", url="https://rebinding.example:8443/a?b=c", secret=new_secret())
        webhook.previous_secret = webhook.previous_until = None
        async with httpx2.AsyncClient(transport=transport) as client:
            due = Due("msg_1", webhook, "{}", "token")
            first = await deliver(client, due, False, lambda _host, _port: next(answers))
            second = await deliver(client, due, False, lambda _host, _port: next(answers))
        assert first.error is None
        assert "has no public address" in (second.error or "")
        assert "127.0.0.1" not in (second.error or "")  # the names of this network are nobody's business

    asyncio.run(try_once())
    (request,) = asked
    assert request.url == "https://93.184.215.14:8443/a?b=c"
    assert request.headers["Host"] == "rebinding.example:8443"
    assert request.extensions["sni_hostname"] == "rebinding.example"
    assert abs(int(request.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
