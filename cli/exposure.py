"""Finds out who can reach a server, and sees to it that nobody but this machine reaches one that has no keys."""

from __future__ import annotations

import errno
import ipaddress
import socket

from cli.errors import CommandError
from domain.access import keys
from infra.database import Database
from infra.errors import Unavailable
from infra.settings import Settings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""A client on this machine calls a server on this machine by these names."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        CommandError: it cannot.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(host, port, error) from error


class CannotListen(CommandError):
    """The address cannot be listened on.

    Attributes:
        port_is_taken: whether another port would do.
    """

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --host or --port.")
        self.port_is_taken = error.errno == errno.EADDRINUSE


def keyless_hosts(listener: socket.socket) -> frozenset[str]:
    """Under which names of its host a server on this socket may be asked without a key; none if others reach it."""
    address = listener.getsockname()[0]
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return frozenset()
    return LOOPBACK_HOSTS | {f"[{address}]" if ":" in address else address}


def refuse_to_serve_others_without_a_key(listener: socket.socket, settings: Settings, data_option: str = "") -> None:
    """See to it that a server that other machines can reach has a key.

    A database that is away says nothing about keys; such a server comes up all the same, and lets nobody in without
    one.

    Args:
        listener: where the server listens.
        settings: of the server.
        data_option: with which the command that makes a key finds the same database.

    Raises:
        CommandError: there is none; the message says how to make one.
    """
    if keyless_hosts(listener):
        return
    database = Database(settings.resolved_database_url)
    try:
        with database.reading() as session:
            has_key = keys.any_active(session)
    except Unavailable:
        return
    finally:
        database.close()
    if not has_key:
        raise CommandError(
            f"Other machines can reach {listener.getsockname()[0]}, and no key has been made: everybody could do "
            f"everything. Make a key first:\n\n    backprop keys create{data_option} --project NAME\n\n"
            "With docker compose: docker compose run --rm api backprop keys create --project NAME\n"
            "Or listen on 127.0.0.1, for this machine only."
        )
