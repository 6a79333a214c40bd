"""Looks for the addresses of engines, so that a dead name server harms no other name."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

from aiohttp.abc import AbstractResolver, ResolveResult

Addresses = list[ResolveResult]


class Names(AbstractResolver):
    """Asks the name server: one thread for each name that is being looked for.

    Threads that all names share would all wait for a server that does not answer for some.
    """

    def __init__(self, limit_s: float) -> None:
        """Wait so long for an answer before the last known address is used."""
        self._limit_s = limit_s
        self._known: dict[tuple[str, int], Addresses] = {}
        self._looking: dict[tuple[str, int], asyncio.Future[Addresses]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        """Return the addresses of a host; raise OSError where nobody knows any."""
        key = host, port
        looking = self._looking.get(key) or self._look(key, family)
        try:
            async with asyncio.timeout(self._limit_s):
                self._known[key] = await asyncio.shield(looking)
        except OSError:  # TimeoutError is one
            if key not in self._known:
                raise
        return self._known[key]

    async def close(self) -> None:
        """Have nothing to close: threads that still wait do not keep the process."""

    def _look(
        self, key: tuple[str, int], family: socket.AddressFamily
    ) -> asyncio.Future[Addresses]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Addresses] = loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._looking[key] = future

        def take(found: Addresses | OSError) -> None:
            del self._looking[key]
            if isinstance(found, OSError):
                future.set_exception(found)
            else:
                future.set_result(found)

        def look() -> None:
            try:
                found: Addresses | OSError = _addresses(*key, family)
            except OSError as error:
                found = error
            with contextlib.suppress(RuntimeError):  # the gateway stopped meanwhile
                loop.call_soon_threadsafe(take, found)

        # Not of a pool: the interpreter would wait for a pool's threads before it ends.
        threading.Thread(target=look, daemon=True).start()
        return future


def _addresses(host: str, port: int, family: socket.AddressFamily) -> Addresses:
    told = socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=found,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found, _, protocol, _, address in told
    ]
