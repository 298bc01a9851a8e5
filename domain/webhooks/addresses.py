"""Which addresses webhooks may reach. A service must not be made to ask for things within its own network.

A host is resolved just before the connection, and the connection goes to an address that has been looked at: a name
that means another address a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NOT_PUBLIC_IPV4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # between a provider and its customers
            "127.0.0.0/8",  # this machine
            "169.254.0.0/16",  # this link; clouds tell their machines' secrets there
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols' own
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # measurements
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # groups
            "240.0.0.0/4",  # reserved, and all of a link
        ),
    )
)

_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is given to the internet. What is private, of a link, of a site or of a group is elsewhere."""

_NOT_PUBLIC_IPV6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocols' own; Teredo among them, which carries IPv4
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries IPv4
            "3fff::/20",  # documentation
        ),
    )
)
"""Within `_PUBLIC_IPV6`. Python's own list differs from one of its versions to the next, and lacks some."""

_EMBEDDED_IN_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses that a gateway translates to the IPv4 address in their last 32 bits: RFC 6052. Where there is no IPv4, the
whole IPv4 internet has them."""


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
    for address in addresses:
        if private_too or is_public(address):
            return address
    # It does not say which they are: whoever may make webhooks need not know the names of this network.
    raise Forbidden(f"{host} has no public address (setting BACKPROP_WEBHOOK_PRIVATE_ADDRESSES).")


def is_public(address: str) -> bool:
    """Whether an address is one of the internet: not private, of this machine, of a link, of a group or reserved."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return _is_in_none(parsed, _NOT_PUBLIC_IPV4)
    if parsed.ipv4_mapped is not None:
        return _is_in_none(parsed.ipv4_mapped, _NOT_PUBLIC_IPV4)
    if parsed in _EMBEDDED_IN_NAT64:
        return _is_in_none(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF), _NOT_PUBLIC_IPV4)
    return parsed in _PUBLIC_IPV6 and _is_in_none(parsed, _NOT_PUBLIC_IPV6)


def _is_in_none(address: _Address, networks: Iterable[_Network]) -> bool:
    return not any(address in network for network in networks)
