"""The files that uploads are written to while they come, and what is left of those whose process was killed."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from infra.errors import Unavailable
from infra.settings import Settings


@contextmanager
def upload_file(settings: Settings) -> Iterator[IO[bytes]]:
    """A file for one upload, gone at the end. It is locked for as long as this process lives and uses it.

    Raises:
        Unavailable: the disk is full (code ``storage_full``).
    """
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with NamedTemporaryFile(dir=folder) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Unavailable("storage_full", "The server's disk is full; nothing of this upload was kept.") from error
        raise


def remove_abandoned_uploads(settings: Settings) -> None:
    """Delete the files of uploads whose process is gone: nobody holds their lock."""
    for path in _folder(settings).glob("*"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, or just ended


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "uploads"
