"""One request as an engine took it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass

from abuse import engine_answers as answers


@dataclass
class Request:
    """One request as it came, with its connection."""

    path: str
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def streams(self) -> bool:
        """Say whether the answer is wanted as a stream."""
        return answers.wants_stream(self.path, self.body)

    async def pause(self, limit_s: float) -> None:
        """Wait; raise ConnectionError as soon as the gateway has gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self.reader.read(1)
            raise ConnectionResetError

    async def send(self, *pieces: bytes) -> None:
        """Write and wait until it has left."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a reset instead of an end."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
