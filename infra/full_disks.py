"""How a full disk is told from other things that go wrong with files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)
"""There is no room on the disk, or none within the quota of the service's user."""

UPLOAD_NOT_KEPT = "The server's disk is full; nothing of this upload was kept."


def is_full_disk(error: BaseException) -> bool:
    """Whether the error says that there is no room for what was to be written."""
    return isinstance(error, OSError) and error.errno in _FULL


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turn what files raise on a full disk into what the client of an upload is told.

    Raises:
        Unavailable: the disk is full (code ``storage_full``).
    """
    try:
        yield
    except OSError as error:
        if is_full_disk(error):
            raise Unavailable("storage_full", UPLOAD_NOT_KEPT) from error
        raise
