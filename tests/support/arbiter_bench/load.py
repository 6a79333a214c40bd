"""A load generator on a bare protocol: closed-loop connections, latencies, streamed chunks."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

LIMIT_S = 120.0
CHAT = "/v1/chat/completions"


def question(model: str = "a", path: str = CHAT, *, stream: bool = False, key: str = "") -> bytes:
    """Return one request for a few words, as it goes over the wire."""
    opening = b'{"model":"%s","messages":[{"role":"user","content":"hello"}],"stream":%s}'
    body = opening % (model.encode(), b"true" if stream else b"false")
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {key}\r\n" if key else ""
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


QUESTION = question()
STREAMED = question(stream=True)


@dataclass
class Result:
    """What a run of requests measured."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """A quantile of the latencies, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._data = b""
        self._asked_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.fail(ConnectionError(f"a connection was lost: {exc}"))

    def _ask(self) -> None:
        if self._run.take():
            self._asked_s = time.perf_counter()
            self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._data) < end + 4 + length:
            return
        if not head.startswith(b"http/1.1 200"):
            self._run.fail(RuntimeError(self._data.decode("latin-1")))
            return
        self._data = b""
        self._run.result.latencies_s.append(time.perf_counter() - self._asked_s)
        self._ask()


class _Run:
    """The requests that several connections share."""

    def __init__(self, request: bytes, requests: int, connections: int) -> None:
        self.request = request
        self.result = Result()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = requests
        self._busy = connections

    def take(self) -> bool:
        """Take one request to make; False when there are none left."""
        if self._left > 0:
            self._left -= 1
            return True
        self._busy -= 1
        if self._busy == 0 and not self.done.done():
            self.done.set_result(None)
        return False

    def fail(self, error: Exception) -> None:
        """End the run."""
        if not self.done.done():
            self.done.set_exception(error)


async def closed_loop(
    port: int, requests: int, connections: int, request: bytes = QUESTION
) -> Result:
    """Make so many requests over so many connections, each as fast as it is answered."""
    run = _Run(request, requests, connections)
    loop = asyncio.get_running_loop()
    started_s = time.perf_counter()
    transports = [
        (await loop.create_connection(lambda: _Client(run), "127.0.0.1", port))[0]
        for _ in range(connections)
    ]
    async with asyncio.timeout(LIMIT_S):
        await run.done
    run.result.seconds = time.perf_counter() - started_s
    for transport in transports:
        transport.abort()
    return run.result


async def chunks_per_second(port: int, request: bytes = STREAMED) -> float:
    """Read one long stream and count its events."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    started_s, events, tail = time.perf_counter(), 0, b""
    while b"data: [DONE]" not in tail:
        data = await reader.read(65536)
        if not data:
            raise ConnectionError("the stream ended early")
        tail = tail[-16:] + data
        events += data.count(b"data: {")
    seconds = time.perf_counter() - started_s
    writer.transport.abort()
    return events / seconds
