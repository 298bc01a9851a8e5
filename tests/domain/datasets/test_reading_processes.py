"""Files are read in processes of their own: bounded, ended with whoever wants them, and no harm when they die."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import psutil
import pytest

from backprop_client.wire.datasets import Format
from domain.datasets.files import preview
from domain.datasets.reading import npz, reader
from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.processes import FORK_SERVER, FileReaders
from domain.datasets.reading.reader import Answer, ReadingFailed, ReadingTask, answer_to
from domain.datasets.reading.tables import StoredTable, TableLimits
from infra.artifacts import ArtifactStore
from infra.errors import InvalidRequest, ServiceError, TooLarge, Unavailable
from tests.support.faults import has_ended
from tests.support.uploads import npz_file
from tests.support.waiting import wait_for

FORMATS: tuple[Format, ...] = get_args(Format)
CSV = b"a,b\n1,x\n2,y\n"


class Folder:
    """Where files to be read are, and what is made of them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def task(self, content: bytes = CSV, file_format: Format | None = "csv", **bounds: float) -> ReadingTask:
        """A task to read that content."""
        (self.path / "file").write_bytes(content)
        return self._task("file", file_format, **bounds)

    def endless_task(self, file_format: Format | None = "csv", **bounds: float) -> ReadingTask:
        """A task to read what never comes."""
        os.mkfifo(self.path / "fifo")
        return self._task("fifo", file_format, **bounds)

    def _task(self, name: str, file_format: Format | None, **bounds: float) -> ReadingTask:
        return ReadingTask(
            file=self.path / name,
            table=self.path / "table",
            format=file_format,
            options=ReadingOptions(),
            limits=TableLimits(rows=10**6, columns=1_000, cells=10**7),
            most_bytes=int(bounds.get("most_bytes", 2**30)),
            most_seconds=bounds.get("most_seconds", 60.0),
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def server() -> psutil.Process:
    """The fork server of this process."""
    running = [child for child in psutil.Process().children() if is_server(child)]
    assert len(running) == 1
    return running[0]


def is_server(process: psutil.Process) -> bool:
    try:
        return "fork_server" in " ".join(process.cmdline())
    except psutil.ZombieProcess:  # killed, and nobody has asked for it since
        return False


def readers_at_work() -> list[psutil.Process]:
    return server().children()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No reader outlives a test, not even as an entry in the table of processes."""
    FORK_SERVER.start()
    yield
    wait_for("the end of all readers", lambda: not readers_at_work())


def read(task: ReadingTask) -> StoredTable:
    async def once() -> StoredTable:
        return await FileReaders(1).read(task)

    return asyncio.run(once())


def refusal_of(task: ReadingTask) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        read(task)
    return refused.value


async def a_reader() -> psutil.Process:
    """The one that reads, once it does."""
    while not (found := readers_at_work()):
        await asyncio.sleep(0.01)
    return found[0]


async def the_end_of(process: psutil.Process) -> None:
    await asyncio.to_thread(wait_for, "the end of a reader", lambda: has_ended(process))


def read_while(task: ReadingTask, something: Callable[[], Awaitable[object]]) -> StoredTable:
    """Read while something else is done."""

    async def both() -> StoredTable:
        reading = asyncio.ensure_future(FileReaders(1).read(task))
        await something()
        return await reading

    return asyncio.run(both())


def test_a_file_is_read_into_another_one_and_summarised(folder: Folder) -> None:
    stored = read(folder.task())
    assert stored == Answer.model_validate_json(answer_to(folder.task())).result()
    assert [(column.name, column.type) for column in stored.columns] == [("a", "integer"), ("b", "category")]
    assert preview(ArtifactStore(str(folder.path)), "table", stored.columns, 9) == [[1, "x"], [2, "y"]]


def test_a_refusal_is_the_same_as_without_a_process(folder: Folder) -> None:
    task = folder.task(b"a,b\n1,2\n3\n")
    with pytest.raises(InvalidRequest) as expected:
        Answer.model_validate_json(answer_to(task)).result()
    refusal = refusal_of(task)
    assert type(refusal) is InvalidRequest
    assert (refusal.code, refusal.message, refusal.fields) == (
        expected.value.code,
        expected.value.message,
        expected.value.fields,
    )
    too_wide = refusal_of(folder.task(b"1," * 2_000 + b"1\n"))
    assert (type(too_wide), too_wide.code) == (TooLarge, "too_many_columns")


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_the_death_of_a_reader_is_a_refusal_of_its_file(
    folder: Folder, file_format: Format, number: signal.Signals
) -> None:
    async def kill() -> None:
        (await a_reader()).send_signal(number)

    with pytest.raises(InvalidRequest) as refused:
        read_while(folder.endless_task(file_format), kill)
    assert refused.value.code == f"invalid_{file_format}"
    assert read(folder.task()).rows == 2


def test_a_reader_that_the_kernel_kills_had_too_little_memory(folder: Folder) -> None:
    async def kill() -> None:
        (await a_reader()).kill()

    with pytest.raises(TooLarge) as refused:
        read_while(folder.endless_task(), kill)
    assert refused.value.code == "file_needs_too_much_memory"


def test_a_reader_has_so_much_time(folder: Folder) -> None:
    refusal = refusal_of(folder.endless_task(most_seconds=0.2))
    assert (type(refusal), refusal.code) == (TooLarge, "reading_too_slow")
    assert "BACKPROP_MAX_READING_SECONDS" in refusal.message


@pytest.mark.parametrize("file_format", ["csv", "json", "npz"])
def test_a_reader_has_so_much_memory(folder: Folder, file_format: Format) -> None:
    rows = 10**5
    content = {
        "csv": b"a,b\n" + b"1234567.5,7654321.25\n" * 20 * rows,
        "json": b'[{"a": "' + b"x" * 15 * 2**20 + b'"}]',
        "npz": npz_file(x=np.zeros((rows, 50))),
    }[file_format]
    refusal = refusal_of(folder.task(content, file_format, most_bytes=2**27))
    assert (type(refusal), refusal.code) == (TooLarge, "file_needs_too_much_memory")
    assert "BACKPROP_MAX_READING_BYTES" in refusal.message


def test_what_is_forked_has_a_single_thread(folder: Folder) -> None:
    read(folder.task())  # by now it has loaded everything
    assert server().num_threads() == 1


def test_a_reading_that_is_cancelled_ends_its_process(folder: Folder) -> None:
    async def cancel() -> None:
        reading = asyncio.ensure_future(FileReaders(1).read(folder.endless_task()))
        process = await a_reader()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await the_end_of(process)

    asyncio.run(cancel())


def test_others_wait_and_hold_no_thread(folder: Folder) -> None:
    async def crowd() -> None:
        readers = FileReaders(2)
        threads = threading.active_count()
        readings = [asyncio.ensure_future(readers.read(task)) for task in [folder.endless_task()] * 9]
        await a_reader()
        await asyncio.sleep(0.3)
        first = readers_at_work()
        assert len(first) == 2
        assert threading.active_count() == threads
        for reading in readings[:8]:
            reading.cancel()
        await asyncio.gather(*readings[:8], return_exceptions=True)
        while not (last := set(readers_at_work()) - set(first)):
            await asyncio.sleep(0.01)
        last.pop().kill()  # the ninth has had its turn
        with pytest.raises(TooLarge):
            await readings[8]

    asyncio.run(crowd())


def test_the_next_file_is_read_when_the_fork_server_has_been_killed(folder: Folder) -> None:
    for _ in range(2):
        killed = server()
        killed.kill()
        assert read(folder.task()).rows == 2
        assert server() != killed


def test_a_fork_server_that_is_killed_takes_its_readers_along_and_their_files_are_read_again(folder: Folder) -> None:
    task = folder.endless_task()

    async def kill() -> None:
        process = await a_reader()
        folder.task()  # makes the file that is now put in place of the one that never comes
        (folder.path / "file").rename(task.file)
        server().kill()
        await the_end_of(process)

    assert read_while(task, kill).rows == 2


def test_who_kills_it_again_and_again_is_told_of(folder: Folder) -> None:
    async def kill() -> None:
        for _ in range(2):
            process = await a_reader()
            server().kill()
            await the_end_of(process)

    with pytest.raises(Unavailable) as refused:
        read_while(folder.endless_task(), kill)
    assert refused.value.code == "reading_interrupted"


def test_a_full_disk_is_told_as_such(folder: Folder) -> None:
    refusal = refusal_of(folder.task().model_copy(update={"table": Path("/dev/full")}))
    assert (type(refusal), refusal.code) == (Unavailable, "storage_full")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_so_is_one_on_which_an_array_is_unpacked(folder: Folder, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(npz, "TemporaryFile", full)
    with pytest.raises(Unavailable) as refused:
        answered(folder.task(npz_file(x=np.ones((9, 3), order="F")), "npz"))
    assert refused.value.code == "storage_full"


def answered(task: ReadingTask) -> StoredTable:
    """What comes of a task in this process."""
    return Answer.model_validate_json(answer_to(task)).result()


def test_a_summary_that_is_too_long_for_the_api_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    task = folder.task(b"a\n" + b"\n".join(b"text %d" % row for row in range(500)))
    answered(task)
    monkeypatch.setattr(reader, "MOST_ANSWER_BYTES", 4_000)
    with pytest.raises(TooLarge) as refused:
        answered(task)
    assert refused.value.code == "too_many_categories"


def test_what_nobody_has_foreseen_is_a_fault_of_ours(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> Coroutine[Any, Any, None]:
        raise KeyError("unforeseen")

    monkeypatch.setattr(reader, "read_file", fails)
    with pytest.raises(ReadingFailed, match="unforeseen"):
        answered(folder.task())


def test_the_format_is_found_by_the_process_that_reads(folder: Folder) -> None:
    assert read(folder.task(b'[{"a": 1}]', None)).read_as.format == "json"
    assert refusal_of(folder.endless_task(None, most_seconds=0.5)).code == "reading_too_slow"


def test_a_file_of_empty_packed_parts_is_bounded_like_any_other(folder: Folder) -> None:
    parts = gzip.compress(b"") * 10**6
    assert refusal_of(folder.task(parts, None, most_seconds=0.5)).code == "reading_too_slow"
    assert refusal_of(folder.task(parts[: 10**4], None)).code in ("empty_file", "invalid_gzip")


@pytest.mark.parametrize(("filename", "code"), [("t.parquet", "invalid_parquet"), ("t.json.gz", "invalid_json")])
def test_what_ends_its_reader_is_called_by_its_name_where_the_format_was_not_told(
    folder: Folder, filename: str, code: str
) -> None:
    task = folder.endless_task(None)
    named = task.model_copy(update={"options": ReadingOptions(filename=filename)})

    async def killed() -> None:
        reading = asyncio.create_task(FileReaders(1).read(named))
        (await a_reader()).send_signal(signal.SIGABRT)
        await reading

    with pytest.raises(InvalidRequest) as refused:
        asyncio.run(killed())
    assert refused.value.code == code
