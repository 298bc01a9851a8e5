"""Several processes that answer on one socket: nobody misses one that dies, and all end together."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import pytest

from domain.access import keys
from infra.database import Database
from infra.processes import stop
from infra.settings import Settings
from tests.support.faults import SOON, has_ended
from tests.support.keys import bearing, id_of, make_key
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Several:
    """`backprop api` with several processes.

    Attributes:
        parent: the process that looks after them.
        url: where they listen.
        log: what all of them have said.
        database: theirs.
    """

    parent: subprocess.Popen[bytes]
    url: str
    log: Path
    database: Database

    def processes(self) -> list[psutil.Process]:
        """Those that serve, and are alive."""
        children = psutil.Process(self.parent.pid).children()
        return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]

    def ask(self, key: str) -> int:
        """The status of a request over a connection of its own."""
        return httpx2.get(f"{self.url}/v1/jobs", headers=bearing(key), timeout=SOON, trust_env=False).status_code

    def connections(self) -> Counter[int]:
        """How many connections each process has, by its id."""
        return Counter(
            process.pid
            for process in self.processes()
            for each in process.net_connections("tcp")
            if each.status == psutil.CONN_ESTABLISHED
        )


@contextmanager
def several(settings: Settings, count: int) -> Iterator[Several]:
    """So many processes on a free port, once all of them have started; stopped at the end."""
    variables = {f"BACKPROP_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    log = settings.data_dir.parent / "api.log"
    database = Database(settings.resolved_database_url)
    with log.open("wb") as output:
        parent = subprocess.Popen(
            [sys.executable, "-m", "cli", "api", "--port", "0"],
            env=os.environ | variables | {"BACKPROP_API_PROCESSES": str(count)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        (listener,) = wait_for("the socket", lambda: psutil.Process(parent.pid).net_connections("tcp"))
        api = Several(parent, f"http://127.0.0.1:{listener.laddr.port}", log, database)
        wait_for("all to listen", lambda: len(with_readers(api)) == count)
        yield api
    finally:
        stop(parent)
        database.close()


def with_readers(api: Several) -> list[psutil.Process]:
    """Those that have started what reads files for them, which is the last thing before they listen."""
    return [process for process in api.processes() if process.children()]


@pytest.fixture
def api(migrated_sqlite: Path, redis_url: str, tmp_path: Path) -> Iterator[Several]:
    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path / 'test.db'}",
        redis_url=redis_url,
        queue_name=tmp_path.name,
        max_requests_per_second=1_000_000,
    )
    with several(settings, 2) as api:
        yield api


def test_they_share_the_work_and_nobody_misses_one_that_is_killed(api: Several) -> None:
    key = make_key(api.database, "red")
    wait_for("both to serve", lambda: both_serve(api, key))
    killed = api.processes()[0]
    its_readers = killed.children(recursive=True)
    stopping = threading.Event()
    answers: Counter[int | None] = Counter()
    asking = [threading.Thread(target=keep_asking, args=(api, key, stopping, answers)) for _ in range(4)]
    for thread in asking:
        thread.start()
    wait_for("requests to run", lambda: answers[200] > 20)
    killed.kill()
    before = answers[200]
    wait_for("the other to answer", lambda: answers[200] > before + 20)
    wait_for("another in its place", lambda: len(with_readers(api)) == 2 and killed not in api.processes())
    stopping.set()
    for thread in asking:
        thread.join()
    assert set(answers) <= {200, None}
    assert answers[None] <= len(asking)  # what it was working on when it was killed
    for reader in its_readers:
        wait_for("the end of what it had started", lambda reader=reader: has_ended(reader))  # type: ignore[misc]
    wait_for("both to serve again", lambda: both_serve(api, key))
    assert re.search(r"The API process \d ended by itself \(exit code -9\); it is started again", api.log.read_text())
    revoked_everywhere(api, key)


def both_serve(api: Several, key: str) -> bool:
    clients = [httpx2.Client(base_url=api.url, headers=bearing(key), trust_env=False) for _ in range(8)]
    assert {client.get("/v1/jobs", timeout=SOON).status_code for client in clients} == {200}
    share = api.connections()
    for client in clients:
        client.close()
    return len(share) == 2


def keep_asking(api: Several, key: str, stopping: threading.Event, answers: Counter[int | None]) -> None:
    while not stopping.is_set():
        try:
            answers[api.ask(key)] += 1
        except httpx2.TransportError:
            answers[None] += 1


def revoked_everywhere(api: Several, key: str) -> None:
    with api.database.writing() as session:
        keys.revoke(session, id_of(key))
    wait_for("one to refuse it", lambda: api.ask(key) == 401)
    wait_for("all to refuse it", lambda: [api.ask(key) for _ in range(8)] == [401] * 8)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_one_that_looks_after_them(api: Several, number: signal.Signals) -> None:
    started = psutil.Process(api.parent.pid).children(recursive=True)
    assert len(started) == 4  # two of them, each with one that starts its readers
    api.parent.send_signal(number)
    assert api.parent.wait(SOON) == (0 if number is signal.SIGTERM else -number)
    assert psutil.wait_procs(started, SOON)[1] == []
