"""The folder that the embedded database, Redis and the uploaded datasets are in. Nobody else can read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import structlog

OURS = (
    "artifacts",
    "backprop.db",
    "backprop.db-journal",
    "backprop.db-shm",
    "backprop.db-wal",
    "lock",
    "redis",
    "uploads",
)
"""The service keeps these there. Whatever else is there belongs to somebody else and is left as it is."""

PRIVATE_UMASK = 0o077

_OTHERS = 0o077
"""These bits of a mode let others do something."""

_log = structlog.get_logger(__name__)


class DataFolderUnusable(Exception):
    """The folder cannot be made or written to; the message says why and what to do."""


def open_data_folder(folder: Path) -> None:
    """See to it that the folder is there and can be written to, and that only this process's user can read it.

    From here on, what this process and its children make is private, whatever umask they were started with. What
    earlier versions have left readable is made private too.

    Raises:
        DataFolderUnusable: it cannot be made or written to.
    """
    os.umask(PRIVATE_UMASK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(None, "it may not be written to")
    except OSError as error:
        raise DataFolderUnusable(
            f"The data folder {folder.absolute()} cannot be used: {error.strerror}. Choose another with --data or "
            "BACKPROP_DATA_DIR, or make this one the property of the user that runs Backprop."
        ) from error
    _make_private(folder)


def _make_private(folder: Path) -> None:
    for path in _readable_by_others(folder):
        try:
            path.chmod(path.stat().st_mode & ~_OTHERS)
        except FileNotFoundError:
            continue  # the journal of a database that is in use
        except OSError as error:
            _log.warning(
                "other users can read what is in the data folder; make it the property of the user that runs Backprop",
                path=str(path.absolute()),
                reason=error.strerror,
            )
            return


def _readable_by_others(folder: Path) -> Iterator[Path]:
    """What of ours others can get at. Below a folder that is closed to them nothing is."""
    entries = list(folder.iterdir())
    if all(path.name in OURS for path in entries) and folder.stat().st_mode & _OTHERS:
        yield folder
    for path in entries:
        if path.name in OURS and not path.is_symlink() and path.stat().st_mode & _OTHERS:
            if path.is_dir():
                yield from (each for each in path.rglob("*") if not each.is_symlink())
            yield path
