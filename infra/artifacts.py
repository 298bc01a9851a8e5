"""Content that is too large for the database, on a local disk or in S3."""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
from pyarrow import fs

PARTIAL = ".partial"

LONGEST_WRITE = timedelta(days=1)
"""What has been incomplete for longer than this is not being written any more."""


class ArtifactStore:
    """Named, immutable pieces of content under one folder or ``s3://bucket/prefix``.

    A key is a relative path with ``/`` (``datasets/ds_01….parquet``). Content appears under its key only when it is
    complete, so that a reader never meets half a file.
    """

    def __init__(self, uri: str) -> None:
        location = uri if "://" in uri else str(Path(uri).absolute())
        filesystem, root = fs.FileSystem.from_uri(location)
        self._filesystem = fs.SubTreeFileSystem(root, filesystem)
        self._folder = Path(root) if isinstance(filesystem, fs.LocalFileSystem) else None

    def add(self, key: str, file: Path) -> None:
        """Keep the content of a local file, which is complete, under `key`: the whole of it, or nothing.

        The file itself may be gone afterwards: on the store's own disk it is moved, not copied.
        """
        if self._folder is not None:
            _move(file, self._folder / key)
            return
        try:
            fs.copy_files(str(file), key, destination_filesystem=self._filesystem)
        except BaseException:
            with suppress(OSError):  # a store that is away has nothing of it
                self.delete(key)
            raise

    def open_input(self, key: str) -> pa.NativeFile:
        """The content under `key`, readable from any position. The caller closes it.

        Raises:
            FileNotFoundError: there is nothing under `key`.
        """
        return self._filesystem.open_input_file(key)

    def exists(self, key: str) -> bool:
        """Whether there is content under `key`."""
        found: bool = self._filesystem.get_file_info(key).type == fs.FileType.File
        return found

    def delete(self, key: str) -> None:
        """Remove the content under `key`; nothing happens when there is none."""
        if self.exists(key):
            self._filesystem.delete_file(key)

    def remove_abandoned(self) -> None:
        """Remove what was never completed, since its process was killed."""
        everything = fs.FileSelector("", allow_not_found=True, recursive=True)
        oldest = datetime.now(UTC) - LONGEST_WRITE
        for found in self._filesystem.get_file_info(everything):
            if found.path.endswith(PARTIAL) and found.mtime is not None and found.mtime < oldest:
                self.delete(found.path)


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
