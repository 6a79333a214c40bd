"""The engines as one process, each on a port of its own: `python -m abuse.engines`.

Its arguments are `name=port`. Any port answers GET /counts with what its engine has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from dataclasses import asdict, dataclass, field

from abuse import engine_answers as answers
from abuse.behaviours import BEFORE_THE_BODY, BEHAVIOURS, SILENT
from abuse.sound_engines import HEARD
from abuse.taken import Request

HEAD_LIMIT = 256 * 1024
FILENAME = re.compile(rb'filename="([^"]*)"')


@dataclass
class Seen:
    """What one engine has seen."""

    begun: int = 0
    ended: int = 0
    left: int = 0
    """Requests whose connection the gateway closed while the engine was not done."""
    files: list[str] = field(default_factory=list)
    """Recordings in the order in which they came to be heard."""


@dataclass
class Engine:
    """One engine at its port."""

    name: str
    seen: Seen = field(default_factory=Seen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests of one connection until it ends."""
        gone = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.suppress(*gone):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; say whether the connection can serve another."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        if head.startswith(b"GET ") and (path == "/counts" or self.name not in SILENT):
            told = asdict(self.seen) | {"is_sleeping": False}
            writer.write(answers.of_json(json.dumps(told).encode()))
            return True
        self.seen.begun += head.startswith(b"POST ")
        early = self.name in BEFORE_THE_BODY
        asked = Request(path, b"" if early else await _body(reader, head), reader, writer)
        name = FILENAME.search(asked.body[:4096])
        if name and path in HEARD:
            self.seen.files.append(name[1].decode())
        try:
            await BEHAVIOURS[self.name](asked)
        except ConnectionError:
            self.seen.left += 1
            raise
        self.seen.ended += 1
        return self.name in ("well", "ears")


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    lines = head.lower().split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")]
    if lengths:
        return await reader.readexactly(lengths[0])
    if b"transfer-encoding: chunked" not in lines:
        return b""
    pieces = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(pieces)


async def main(told: list[str]) -> None:
    """Listen at every port until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    for name, _, port in (each.partition("=") for each in told):
        engine = Engine(name)
        await asyncio.start_server(
            engine.serve, "127.0.0.1", int(port), limit=HEAD_LIMIT, backlog=1024
        )
    await ended.wait()
    os._exit(0)  # those who are kept waiting need no word of it


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
