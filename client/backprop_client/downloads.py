"""Answers that are files. They are asked for when they are read, and need not fit into memory."""

from __future__ import annotations

import os
import secrets
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
    written = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with written.open("xb") as file:
            yield file
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
