"""Content that is too large for the database, on a local disk or in S3."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import structlog
from pyarrow import fs

from infra.errors import Unavailable
from infra.s3 import s3_filesystem

PARTIAL = ".partial"

LONGEST_WRITE = timedelta(days=1)
"""What has been incomplete for longer is not being written any more."""

COPIED_BYTES = 2**20
"""Bytes. So much of a file is in memory while it is copied to a store on another machine."""

_log = structlog.get_logger(__name__)


class ArtifactStore:
    """Named, immutable pieces of content under one folder or ``s3://bucket/prefix``.

    A key is a relative path with ``/`` (``datasets/ds_01….parquet``). Content appears under its key only when it is
    complete, so that a reader never meets half a file.

    All methods raise `Unavailable` (code ``artifacts_unavailable``) when the store is on another machine and cannot be
    used right now: it does not answer, or it refuses us. After a refusal nothing has changed.
    """

    def __init__(self, uri: str) -> None:
        """Connect to nothing yet.

        Raises:
            ValueError: the URI names no store that we know.
        """
        self._uri = uri if "://" in uri else str(Path(uri).absolute())
        self._folder = _folder_of(self._uri)
        with suppress(OSError):  # a server that is away now is looked for again at the first use
            _ = self._filesystem

    @cached_property
    def _filesystem(self) -> fs.FileSystem:
        filesystem, root = _opened(self._uri)
        return fs.SubTreeFileSystem(root, filesystem)

    def add(self, key: str, file: Path) -> None:
        """Keep the content of a local file, which is complete, under `key`: the whole of it, or nothing.

        The file itself may be gone afterwards: on the store's own disk it is moved, not copied.
        """
        if self._folder is not None:
            _move(file, self._folder / key)
            return
        with self._used():
            try:
                # `fs.copy_files` overlooks a refusal that comes when the file is closed.
                with file.open("rb") as source, self._filesystem.open_output_stream(key) as target:
                    shutil.copyfileobj(source, target, COPIED_BYTES)
            except BaseException:
                with suppress(OSError):  # a store that is away has nothing of it
                    self._filesystem.delete_file(key)
                raise

    @contextmanager
    def reading(self, key: str) -> Iterator[pa.NativeFile]:
        """The content under `key`, readable from any position while the block lasts.

        Raises:
            FileNotFoundError: there is nothing under `key`.
        """
        with self._used(), self._filesystem.open_input_file(key) as content:
            yield content

    def exists(self, key: str) -> bool:
        """Whether there is content under `key`."""
        with self._used():
            found: bool = self._filesystem.get_file_info(key).type == fs.FileType.File
        return found

    def delete(self, key: str) -> None:
        """Remove the content under `key`; nothing happens when there is none."""
        with self._used(), suppress(FileNotFoundError):
            self._filesystem.delete_file(key)

    def remove_abandoned(self) -> None:
        """Remove what was never completed, since its process was killed. Only a folder of ours keeps such things."""
        if self._folder is None:
            return
        oldest = datetime.now(UTC) - LONGEST_WRITE
        for path in self._folder.rglob(f"*{PARTIAL}"):
            with suppress(FileNotFoundError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < oldest:
                    path.unlink()

    @contextmanager
    def _used(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._folder is not None or isinstance(error, FileNotFoundError):
                raise
            _log.warning("the store of the datasets cannot be used", reason=str(error))
            raise Unavailable(
                "artifacts_unavailable", "The store of the datasets cannot be used right now; try again later."
            ) from error


def _opened(uri: str) -> tuple[fs.FileSystem, str]:
    return s3_filesystem(uri) if uri.startswith("s3:") else fs.FileSystem.from_uri(uri)


def _folder_of(uri: str) -> Path | None:
    """The folder on this machine that a URI or an absolute path names, if it does."""
    if "://" in uri and not uri.startswith("file:"):
        return None
    return Path(_opened(uri)[1])


def _move(file: Path, target: Path) -> None:
    """Move a file, which appears at once, also where the target is on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.replace(target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    partial = target.with_name(f"{target.name}.{uuid4().hex}{PARTIAL}")
    try:
        shutil.copyfile(file, partial)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
