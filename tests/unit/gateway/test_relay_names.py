"""Names are looked for, each by itself, and the last known address outlives its name server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from synapse_gateway.relay.names import Names

LIMIT_S = 0.05


class NameServer:
    """Knows every name, is silent for some, and refuses others."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.unknown: set[str] = set()
        self.asked: list[str] = []
        self.awake = threading.Event()

    def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host in self.silent:
            self.awake.wait(60)
        if host in self.unknown:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port))]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    made = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.awake.set()


async def _address(looking: Names, host: str) -> str:
    return (await looking.resolve(host, 80))[0]["host"]


async def test_silent_names_hold_no_other(server: NameServer) -> None:
    looking = Names(LIMIT_S)
    server.silent = {f"silent-{number}" for number in range(64)}
    lookups = [looking.resolve(host, 80) for host in server.silent for _ in range(3)]
    failed = await asyncio.gather(*lookups, return_exceptions=True)
    assert all(isinstance(each, OSError) for each in failed)
    assert len(server.asked) == 64, "one thread for each name, however many ask"
    assert await _address(looking, "well") == "10.0.0.1"


async def test_the_last_address_is_used_while_the_name_server_is_away(server: NameServer) -> None:
    looking = Names(LIMIT_S)
    assert await _address(looking, "engine") == "10.0.0.1"
    server.silent = {"engine"}
    assert await _address(looking, "engine") == "10.0.0.1"
    server.awake.set()
    server.unknown = {"engine", "nobody"}
    assert await _address(looking, "engine") == "10.0.0.1"
    with pytest.raises(OSError, match="not known"):
        await looking.resolve("nobody", 80)


async def test_a_name_is_looked_for_again_once_its_server_answered(server: NameServer) -> None:
    looking = Names(LIMIT_S)
    server.unknown = {"engine"}
    with pytest.raises(OSError, match="not known"):
        await looking.resolve("engine", 80)
    server.unknown.clear()
    assert await _address(looking, "engine") == "10.0.0.1"
