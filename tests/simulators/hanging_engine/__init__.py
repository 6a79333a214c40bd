"""An engine that takes connections and hangs, each in one of the ways that engines do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from enum import StrEnum

START_TIMEOUT_S = 10
TRICKLE_S = 0.05
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: "
EVENTS, JSON = b"text/event-stream", b"application/json"
OF_HEALTH = (b"GET /api/version ", b"GET /health ", b"GET /healthz ", b"GET /health/liveliness ")
WELL = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


class Way(StrEnum):
    """What an engine does with a request."""

    SILENT = "says nothing"
    HEADERS = "says its headers and nothing more"
    TRICKLES_HEADERS = "says its headers, a byte at a time"
    TRICKLES = "says its headers, and then blanks for ever"
    UNREAD = "never reads the request"
    RESETS = "resets the connection once it has the request"


class HangingEngine:
    """Listens on 127.0.0.1, in a thread of its own; `way` may be changed while it runs.

    It answers to who asks for its health, while `is_well`, and hangs for everybody else.
    """

    def __init__(self, port: int, way: Way = Way.SILENT) -> None:
        """Remember the port; the block of a `with` opens it."""
        self.port = port
        self.way = way
        self.is_well = True
        self.stream = True
        """The type of the answer in whose middle it hangs: events, or JSON."""
        self.requests = 0
        """Those that it hangs in, apart from those for its health."""
        self.ended = 0
        """Of these, whose connection the other side has ended."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> HangingEngine:
        """Open the port."""
        self._thread.start()
        opening = asyncio.run_coroutine_threadsafe(self._open(), self._loop)
        self._server = opening.result(START_TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port and every connection."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(START_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)
        self._loop.close()

    async def _open(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, "127.0.0.1", self.port, limit=1024)

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                await self._serve(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(4)
        if first == b"GET ":
            line = first + await reader.readline()
            if line.startswith(OF_HEALTH) and self.is_well:
                writer.write(WELL)
                await writer.drain()
                return
            await asyncio.Event().wait()
        self.requests += 1
        try:
            await self._hang(reader, writer)
        finally:
            self.ended += 1

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.way is Way.UNREAD:
            transport = writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await asyncio.Event().wait()
        reading = asyncio.create_task(_read_on(reader))
        saying = asyncio.create_task(self._say(writer))
        await asyncio.wait([reading, saying], return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, saying):
            task.cancel()

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        kind = EVENTS if self.stream else JSON
        head = HEAD + kind + b"\r\ncontent-length: 1000000\r\n\r\n"
        if self.way is Way.RESETS:
            await asyncio.sleep(TRICKLE_S)
            peer: socket.socket = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if self.way in (Way.HEADERS, Way.TRICKLES):
            writer.write(head)
        while self.way in (Way.TRICKLES, Way.TRICKLES_HEADERS):
            if self.way is Way.TRICKLES:
                writer.write(b" " if kind == JSON else b":\n\n")
            else:
                writer.write(head[:1])
                head = head[1:] or b" "
            await writer.drain()
            await asyncio.sleep(TRICKLE_S)
        await asyncio.Event().wait()


async def _read_on(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
