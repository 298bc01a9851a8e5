"""Content that is too large for the database, on a local disk or in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def open_output(self, key: str) -> Iterator[pa.NativeFile]:
        """A stream to write to; its content appears under `key` when the block ends without an exception.

        After an exception nothing is left, neither under `key` nor elsewhere.
        """
        temporary = f"{key}.{uuid4().hex}{PARTIAL}"
        self._filesystem.create_dir(str(Path(key).parent), recursive=True)
        try:
            with self._filesystem.open_output_stream(temporary) as stream:
                yield stream
            self._filesystem.move(temporary, key)
        except BaseException:
            self.delete(temporary)
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
