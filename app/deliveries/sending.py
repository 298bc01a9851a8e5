"""One try to deliver: the request, and what came of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import structlog

from app.deliveries.resolving import Resolve, addresses_of
from backprop_client.wire.webhooks import normal_address
from domain.webhooks.addresses import Forbidden, allowed, resolved
from domain.webhooks.deliveries import Due, Outcome
from domain.webhooks.secrets import signed_headers

TRY_SECONDS = 15.0
"""Seconds. A receiver that has not answered by then has failed, however it spends them."""

MOST_ANSWER_BYTES = 2**16
"""Bytes. No more of an answer is read: nobody looks at it."""

_log = structlog.get_logger(__name__)


def new_client() -> httpx2.AsyncClient:
    """A client that follows no redirects, knows no proxies, and carries nothing from one receiver to another.

    It connects to addresses, and several receivers may be at one. So no connection is used again: its certificate was
    checked for another's name. And no cookie is kept: it would go to all that are there.
    """
    return httpx2.AsyncClient(
        timeout=TRY_SECONDS,
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_keepalive_connections=0),
        headers={"Connection": "close"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def deliver(client: httpx2.AsyncClient, due: Due, private_too: bool, resolve: Resolve = resolved) -> Outcome:
    """Try to deliver once. Whatever goes wrong is told in the outcome.

    Args:
        client: of `new_client`.
        due: what is to be delivered.
        private_too: whether to deliver to private networks and to this machine.
        resolve: gives the addresses of a host and port.
    """
    try:
        async with asyncio.timeout(TRY_SECONDS):
            request = await _request(client, due, private_too, resolve)
            return await _answered(client, request)
    except TimeoutError:
        return Outcome(None, f"No answer within {TRY_SECONDS:.0f} seconds.")
    except (Forbidden, OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Outcome(None, str(error) or type(error).__name__)
    except Exception as error:  # a try that nobody counts would come again for ever
        _log.exception("a try to tell a webhook failed in no known way", webhook=due.webhook.id, delivery=due.id)
        return Outcome(None, type(error).__name__)


async def _request(client: httpx2.AsyncClient, due: Due, private_too: bool, resolve: Resolve) -> httpx2.Request:
    """The request, to an address that has been looked at, under the name that it has."""
    url = httpx2.URL(normal_address(due.webhook.url))
    host = url.raw_host.decode("ascii")  # not `url.host`: of ß and some others Python would look up another name
    port = url.port or (443 if url.scheme == "https" else 80)
    address = allowed(host, await addresses_of(host, port, resolve), private_too)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Backprop-Webhooks/1",
        "Host": url.netloc.decode("ascii"),
        **signed_headers(due.webhook, due.id, due.body, datetime.now(UTC)),
    }
    return client.build_request(
        "POST",
        url.copy_with(host=address),
        content=due.body.encode(),
        headers=headers,
        extensions={"sni_hostname": host.removesuffix(".")},  # the certificate is that of the name
    )


async def _answered(client: httpx2.AsyncClient, request: httpx2.Request) -> Outcome:
    response = await client.send(request, stream=True)
    try:
        read = 0
        async for piece in response.aiter_raw():
            read += len(piece)
            if read > MOST_ANSWER_BYTES:
                break
    finally:
        await response.aclose()
    if response.is_success:
        return Outcome(response.status_code, None)
    return Outcome(response.status_code, f"It answered {response.status_code}.", _retry_after(response))


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds that it asks for, by a number of them or by a time; None if it does not."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)  # infinity, if there are too many digits
    try:
        moment = parsedate_to_datetime(said)
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
