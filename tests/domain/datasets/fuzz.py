"""Damaged files by the thousand: each gives a table or a refusal, whatever it does to the process that reads it.

Run as a script for as long as you like: ``python -m tests.domain.datasets.fuzz --seconds 600``. The exit status is 1 if
a file did anything else.

Most files are read one after the other by one process, `--read`, which tells how each ended. When that dies, the file
that it was at is read again as an upload is, in a process of its own, and another goes on after it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from domain.datasets.reading.options import ReadingOptions
from domain.datasets.reading.processes import ENVIRONMENT, FileReaders
from domain.datasets.reading.reader import Answer, ReadingFailed, ReadingTask, answer_to
from domain.datasets.reading.tables import TableLimits
from infra.errors import ServiceError
from tests.support.damage import damaged_file

MOST_BYTES = 2**29
MOST_SECONDS = 20.0
BATCH = 500
TABLE = "table"
"""How a file ended that was one after all."""


@dataclass
class Tally:
    """How files ended.

    Attributes:
        ends: codes of refusals and how often each came.
        deaths: how many ended the process that read them.
        faults: what should not have been.
    """

    ends: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many have been read."""
        return self.ends.total() + len(self.faults)


def fuzz(seed: int, seconds: float) -> Tally:
    """Read files of that seed, one after the other, for so long."""
    tally = Tally()
    end = time.monotonic() + seconds
    with TemporaryDirectory() as name:
        folder = Path(name)
        while time.monotonic() < end:
            first = tally.files
            for outcome in _read_by_one_process(seed, first, folder, end):
                _note(tally, outcome, seed)
            if time.monotonic() < end and tally.files < first + BATCH:
                tally.deaths += 1
                _note(tally, _read_as_an_upload(seed, tally.files, folder), seed)
        left = {path.name for path in folder.iterdir()} - {"file", "table"}
        if left:
            tally.faults.append(f"left behind: {left}")
    return tally


def _note(tally: Tally, outcome: str, seed: int) -> None:
    if outcome.startswith("!"):
        tally.faults.append(f"file {tally.files} of seed {seed}: {outcome[1:]}")
    else:
        tally.ends[outcome] += 1


def _read_by_one_process(seed: int, first: int, folder: Path, end: float) -> Iterator[str]:
    """How each file of a batch ended, until the process dies at one or the time is over."""
    command = [sys.executable, "-m", "tests.domain.datasets.fuzz", "--seed", str(seed)]
    process = subprocess.Popen(
        [*command, "--read", str(first), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # C++ tells of its own end
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | ENVIRONMENT,
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip("\n")
            if time.monotonic() > end:
                process.kill()
                return


def _read_many(seed: int, first: int, folder: Path) -> None:
    """Read a batch, and print a line for each file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    for number in range(first, first + BATCH):
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        answer = Answer.model_validate_json(answer_to(_task(seed, number, folder)))
        outcome = TABLE if answer.stored is not None else answer.refusal and answer.refusal.code
        print(outcome or f"!{(answer.failure or '').splitlines()[-1]}", flush=True)  # noqa: T201


def _read_as_an_upload(seed: int, number: int, folder: Path) -> str:
    """How a file ends that is read in a process of its own."""

    async def read() -> str:
        try:
            await FileReaders(1).read(_task(seed, number, folder))
        except ServiceError as error:
            return error.code
        except ReadingFailed as error:
            return f"!{error}"
        return TABLE

    return asyncio.run(read())


def _task(seed: int, number: int, folder: Path) -> ReadingTask:
    file = damaged_file(seed, number)
    (folder / "file").write_bytes(file.content)
    return ReadingTask(
        file=folder / "file",
        table=folder / "table",
        format=file.format,
        options=ReadingOptions(),
        limits=TableLimits(rows=10**6, columns=1_000, cells=10**7),
        most_bytes=MOST_BYTES,
        most_seconds=MOST_SECONDS,
    )


def _main() -> int:
    parser = argparse.ArgumentParser(description="Read damaged files.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--read", nargs=2, metavar=("FIRST", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        _read_many(options.seed, int(options.read[0]), Path(options.read[1]))
        return 0
    tally = fuzz(options.seed, options.seconds)
    print(f"seed {options.seed}: {tally.files:,} files, {tally.deaths} of which ended their reader")  # noqa: T201
    for end, times in tally.ends.most_common():
        print(f"  {times:>8,} {end}")  # noqa: T201
    for fault in tally.faults:
        print(fault)  # noqa: T201
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(_main())
