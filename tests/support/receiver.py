"""Somebody who is told by webhooks: a server of HTTP on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Told:
    """A request that has come.

    Attributes:
        client: host and port from which it has.
    """

    path: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int] = ("", 0)


@dataclass
class Receiver:
    """Keeps what it is told.

    Attributes:
        url: where it listens.
        told: all requests so far.
        answer: answers each: a status, headers, a body; it may take its time.
    """

    url: str = ""
    told: list[Told] = field(default_factory=list)
    answer: Callable[[Told], tuple[int, dict[str, str], bytes]] = lambda _told: (204, {}, b"")

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.told]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as those of most receivers do

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = Told(self.path, headers, body, self.client_address)
            receiver.told.append(told)
            status, headers, said = receiver.answer(told)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self) -> None:
            receiver.told.append(Told(f"followed to {self.path}", {}, b""))
            self.send_error(404)

        def log_message(self, *_arguments: Any) -> None:  # noqa: ANN401  # whatever it is
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}/told"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
