"""Answers that are files. They are asked for when they are read, and need not fit into memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backprop_client.transport.calls import Call
from backprop_client.transport.sending import AsyncSender, Sender


@dataclass(frozen=True)
class Download:
    """A file to be had from the service."""

    _call: Call[bytes]
    _sender: Sender

    def read(self) -> bytes:
        """All of it."""
        return self._sender.send(self._call)

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, as they come."""
        with self._sender.stream(self._call) as response:
            yield from response.iter_bytes()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it down. A file of that name is replaced once all of it has come."""
        with _replacing(Path(path)) as file:
            for chunk in self.chunks():
                file.write(chunk)
        return Path(path)


@dataclass(frozen=True)
class AsyncDownload:
    """A file to be had from the service."""

    _call: Call[bytes]
    _sender: AsyncSender

    async def read(self) -> bytes:
        """All of it."""
        return await self._sender.send(self._call)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes, as they come."""
        async with self._sender.stream(self._call) as response:
            async for chunk in response.aiter_bytes():
                yield chunk

    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it down. A file of that name is replaced once all of it has come."""
        with _replacing(Path(path)) as file:
            async for chunk in self.chunks():
                file.write(chunk)
        return Path(path)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes that place when it has been written, and is gone when it could not be."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        written.chmod(0o666 & ~_mask())
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def _mask() -> int:
    """What new files are not allowed for others."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
