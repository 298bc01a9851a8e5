"""The files of an upload while it is taken in, and what is left of those whose process was killed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from infra.full_disks import full_disk_told
from infra.settings import Settings


@dataclass(frozen=True)
class UploadFiles:
    """What belongs to one upload, on the disk.

    Attributes:
        received: the file that comes, open for writing.
        table: where its content goes in canonical form; empty at first.
    """

    received: IO[bytes]
    table: Path

    @property
    def path(self) -> Path:
        """Of `received`."""
        return Path(self.received.name)


@contextmanager
def upload_files(settings: Settings) -> Iterator[UploadFiles]:
    """Files for one upload, gone at the end. They are locked for as long as this process lives and uses them.

    Raises:
        Unavailable: the disk is full (code ``storage_full``).
    """
    folder = _folder(settings)
    with full_disk_told():
        folder.mkdir(parents=True, exist_ok=True)
        with _locked_file(folder) as received, _locked_file(folder) as table:
            yield UploadFiles(received, Path(table.name))


def remove_abandoned_uploads(settings: Settings) -> None:
    """Delete the files of uploads whose process is gone: nobody holds their lock."""
    for path in _folder(settings).glob("*"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, or just ended


@contextmanager
def _locked_file(folder: Path) -> Iterator[IO[bytes]]:
    """A new file of the permissions that the service's user gives files, as an artifact has them."""
    while True:
        path = folder / uuid4().hex
        with path.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not path.exists():
                continue  # taken for abandoned before it was locked
            try:
                yield file
            finally:
                path.unlink(missing_ok=True)
            return


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "uploads"
