"""One try to deliver: the request, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2

from domain.webhooks.addresses import Forbidden, allowed, resolved
from domain.webhooks.deliveries import Due, Outcome
from domain.webhooks.secrets import signed_headers

TRY_SECONDS = 15.0
"""Seconds. A receiver that has not answered by then has failed, however it spends them."""

MOST_ANSWER_BYTES = 2**16
"""Bytes. No more of an answer is read: nobody looks at it."""

Resolve = Callable[[str, int], list[str]]


async def deliver(client: httpx2.AsyncClient, due: Due, private_too: bool, resolve: Resolve = resolved) -> Outcome:
    """Try to deliver once. Whatever goes wrong is told in the outcome.

    Args:
        client: follows no redirects and knows no proxies.
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
    except (Forbidden, OSError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Outcome(None, str(error) or type(error).__name__)


async def _request(client: httpx2.AsyncClient, due: Due, private_too: bool, resolve: Resolve) -> httpx2.Request:
    """The request, to an address that has been looked at, under the name that it has."""
    url = httpx2.URL(due.webhook.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = await asyncio.to_thread(resolve, url.host, port)
    address = allowed(url.host, addresses, private_too)
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
        extensions={"sni_hostname": url.raw_host.decode("ascii")},  # the certificate is that of the name
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
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
