"""Which addresses webhooks may reach. A service must not be made to ask for things within its own network.

A host is resolved just before the connection, and the connection goes to an address that has been looked at: a name
that means another address a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

_EMBEDDED_IN_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that a gateway translates to the IPv4 address in their last 32 bits: RFC 6052."""


class Forbidden(Exception):
    """No address of a host may be reached; the message says why."""


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, best first.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def allowed(host: str, addresses: Iterable[str], private_too: bool) -> str:
    """The first of a host's addresses that may be reached.

    Args:
        host: as the URL has it.
        addresses: of it.
        private_too: whether those of private networks and of this machine are among them.

    Raises:
        Forbidden: none may.
    """
    known = list(addresses)
    for address in known:
        if private_too or is_public(address):
            return address
    raise Forbidden(
        f"{host} is at {', '.join(known)}, which is no public address (setting BACKPROP_WEBHOOK_PRIVATE_ADDRESSES)."
    )


def is_public(address: str) -> bool:
    """Whether an address is one of the internet: not private, of this machine, of a link, of a group or reserved."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in _EMBEDDED_IN_NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved and not parsed.is_unspecified
