"""A listener of server-sent events, as far as tests need one: it notes everything that comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.waiting import wait_for


@dataclass(frozen=True)
class SentEvent:
    """One event.

    Attributes:
        name: what it is called.
        data: what its JSON says.
        id: the last id when it came.
    """

    name: str
    data: dict[str, Any]
    id: str


def parsed(lines: Iterator[str]) -> Iterator[SentEvent | str]:
    """The events of a stream; and each comment, and each id that came without an event, as a text."""
    name, data, last_id = "", "", ""
    for line in lines:
        key, _, value = line.partition(": ")
        if line == "":
            yield SentEvent(name, json.loads(data), last_id) if data else last_id
            name, data = "", ""
        elif key == "event":
            name = value
        elif key == "data":
            data += value
        elif key == "id":
            last_id = value


@dataclass
class Listener:
    """Follows an address in a thread, through as many connections as that takes, as a browser does.

    Attributes:
        address: with its parameters.
        base_url: gives where the service is, at each connection.
        headers: of each request.
        events: all that has come.
        last_id: the newest id.
        statuses: what each request was answered with; 0: there was no answer.
        ended: whether it has been told not to come back.
    """

    address: str
    base_url: Callable[[], str]
    headers: dict[str, str] = field(default_factory=dict)
    events: list[SentEvent] = field(default_factory=list)
    last_id: str = ""
    statuses: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> Listener:
        """Begin."""
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Come back no more, and let the present connection go with its next word."""
        self._stopped.set()

    def wait_until(self, what: str, condition: Callable[[Listener], Any], seconds: float = 30.0) -> None:
        """Wait for what it must hear."""
        wait_for(what, lambda: condition(self), seconds)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The data of all events of that name."""
        return [event.data for event in self.events if event.name == name]

    def iterations(self, job_id: str) -> list[int]:
        """All iterations of a job whose costs have come, in that order."""
        batches = (batch for batch in self.named("cost") if batch["job_id"] == job_id)
        return [iteration for batch in batches for iteration in batch["iteration"]]

    def sequences(self, job_id: str) -> list[int]:
        """The sequence numbers of a job's steps, in the order in which they have come."""
        return [step["sequence"] for step in self.named("transition") if step["job_id"] == job_id]

    def _follow(self) -> None:
        while not self._stopped.is_set():
            status = 0
            with suppress(httpx2.TransportError):
                status = self._one_connection()
            self.statuses.append(status)
            if status not in (0, 200):
                self.ended.set()
                return
            self._stopped.wait(0.05)

    def _one_connection(self) -> int:
        headers = {**self.headers, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        with httpx2.stream(
            "GET", f"{self.base_url()}{self.address}", headers=headers, timeout=60, trust_env=False
        ) as response:
            if response.status_code == httpx2.codes.OK:
                for event in parsed(response.iter_lines()):
                    if isinstance(event, SentEvent):
                        self.events.append(event)
                        self.last_id = event.id
                    else:
                        self.last_id = event or self.last_id
                    if self._stopped.is_set():
                        break
            return response.status_code


def read_all(response: Any) -> list[SentEvent]:  # noqa: ANN401  # of whichever client
    """The events of a stream that has ended."""
    assert response.status_code == 200, response.text
    return [event for event in parsed(iter(response.text.split("\n"))) if isinstance(event, SentEvent)]
