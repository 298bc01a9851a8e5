"""Bodies that come compressed, decoded as they come."""

from __future__ import annotations

import zlib

from starlette.types import Message, Receive

MOST_BYTES_AT_ONCE = 2**20
"""Bytes. So much of a decoded body is in memory before the next reader can count it."""

DECODED_AT_A_TIME = 2**12
"""Bytes of the compressed body. The decoder copies what is behind each member's end, so it gets little at a time."""

MOST_OVERHEAD = 2**16
"""Bytes. A compressed body may be so much longer than twice what it decodes to. Else it is made of empty members, which
no limit of the decoded size would ever end."""

WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""What zlib wants to be told of each coding. HTTP's `deflate` is zlib's own form: RFC 9110, section 8.4.1.2."""


class Damaged(Exception):
    """The body is not in its coding, or it ends too early."""


class Decompression:
    """A compressed body as it comes, decoded piece by piece. It may have several members, one after the other."""

    def __init__(self, receive: Receive, window_bits: int) -> None:
        self._receive = receive
        self._window_bits = window_bits
        self._decoder = zlib.decompressobj(window_bits)
        self._waiting = memoryview(b"")
        self._more_comes = True
        self._has_ended = False
        self._taken = 0
        self._given = 0

    async def receive(self) -> Message:
        """The next message: at most `MOST_BYTES_AT_ONCE` of the decoded body; past its end, the client leaving.

        Raises:
            Damaged: what comes is not in that coding, or it ends too early.
        """
        if self._has_ended:
            return await self._receive()
        while not (piece := self._decode()):
            if not self._more_comes:
                if self._taken and not self._decoder.eof:
                    raise Damaged  # it ends within a member
                self._has_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._waiting = memoryview(message.get("body", b""))
            self._more_comes = message.get("more_body", False)
        return {"type": "http.request", "body": piece, "more_body": True}

    def _decode(self) -> bytes:
        """What comes out of the bytes that wait, up to a message's worth."""
        decoded = bytearray()
        while self._waiting and len(decoded) < MOST_BYTES_AT_ONCE:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(self._window_bits)
            given = self._waiting[:DECODED_AT_A_TIME]
            try:
                decoded += self._decoder.decompress(given, MOST_BYTES_AT_ONCE - len(decoded))
            except zlib.error as error:
                raise Damaged from error
            left = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            taken = len(given) - len(left)
            self._waiting = self._waiting[taken:]
            self._taken += taken
            if self._taken > MOST_OVERHEAD + 2 * (self._given + len(decoded)):
                raise Damaged
        self._given += len(decoded)
        return bytes(decoded)
