"""The gateway's ports in this process, asked by bare sockets; no engine is there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from free_ports import free_ports
from relayed import config, model
from synapse_gateway.edge import Edge
from synapse_gateway.keys import KeyRing
from synapse_gateway.metrics import Metrics
from synapse_gateway.server import Server

HOST = "127.0.0.1"
LIMIT_S = 20
KEY = b"Authorization: Bearer sk-synapse-app\r\n"


@dataclass
class Answer:
    """What came back."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().splitlines()[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw.partition(b"\r\n\r\n")[2])["error"]
        return found


@dataclass
class Caller:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> Answer:
        """Read one answer with its body."""
        async with asyncio.timeout(LIMIT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(Answer(head).headers.get("content-length", "0"))
            return Answer(head + await self.reader.readexactly(length))

    async def rest(self) -> bytes:
        """Read until the other side closes; how it closes does not matter."""
        got = b""
        async with asyncio.timeout(LIMIT_S):
            try:
                while more := await self.reader.read(65536):
                    got += more
            except ConnectionError:
                pass
        return got


@dataclass
class Front:
    """The gateway's ports and what it logged."""

    edge: Edge
    server: Server
    ports: dict[str, int]
    registry: CollectorRegistry
    read: Callable[[], tuple[str, str]]
    said: str = ""
    """Standard error so far."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    @property
    def in_flight(self) -> int:
        """Return how many requests are being answered."""
        return len(self.edge.watch._in_flight)

    @property
    def listener(self) -> Any:
        """Return the socket of the applications' port."""
        return self.server._listening[0][1].sockets[0]

    async def call(self, data: bytes = b"", port: str = "port", source: str = HOST) -> Caller:
        """Open a connection and send."""
        opened = asyncio.open_connection(HOST, self.ports[port], local_addr=(source, 0))
        caller = Caller(*await opened)
        self.callers.append(caller)
        caller.send(data)
        return caller

    async def ask(self, data: bytes, port: str = "port") -> Answer:
        """Send on a connection of its own; return the answer."""
        return await (await self.call(data, port)).answer()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of an event so far."""
        out, error = self.read()
        self.said += error
        self.lines += [json.loads(line) for line in out.splitlines()]
        return [line for line in self.lines if line["event"] == event]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline_s = time.monotonic() + LIMIT_S
        while not condition():  # nothing tells of most of what is waited for
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.01)

    async def until_logged(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the lines of an event, once there are so many."""
        await self.until(lambda: len(self.logged(event)) >= count)
        return self.logged(event)


@pytest.fixture
async def front(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Front]:
    """The gateway; a test's parameter of this name gives its settings."""
    (tmp_path / "app").write_text("sk-synapse-app")
    names = ("port", "inner_port", "metrics_port")
    ports = dict(zip(names, free_ports(3), strict=True))
    settings = {"body_timeout_s": 5.0, "json_body_mib": 16, "drain_timeout_s": 0.5}
    settings |= ports | getattr(request, "param", {})
    known = config(model("gpu", "vllm"), settings=settings)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    edge = Edge(known, KeyRing(tmp_path), metrics)
    server = Server(edge, metrics, known.settings, HOST)
    await server.start()
    made = Front(edge, server, ports, registry, capsys.readouterr)
    yield made
    for caller in made.callers:
        caller.writer.close()
    await server.stop()
