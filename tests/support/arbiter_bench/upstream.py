"""An engine that costs next to nothing: fixed answers on a bare protocol, for measuring proxies."""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = (
    b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hi"},"finish_reason":"stop"}],"usage":{"completion_tokens":1}}'
)
CHUNK = (
    b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    b'{"content":"tok"},"finish_reason":null}]}\n\n'
)
END = CHUNK.replace(b"null", b'"stop"') + b"data: [DONE]\n\n"
CHUNKS = 20_000
BURST = 50  # chunks that leave in one write, as a busy engine's do


def _response(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


INFERENCE = _response(ANSWER)
AWAKE = _response(b'{"is_sleeping":false}')
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Upstream(asyncio.Protocol):
    """One connection; requests have a content-length or no body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)
        self._data = b""
        self._writable = asyncio.Event()
        self._writable.set()

    def pause_writing(self) -> None:
        """Wait for the reader."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            body = self._data[end + 4 : end + 4 + length]
            self._data = self._data[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"post /v1/"):
            self._transport.write(AWAKE)
        elif b'"stream":true' in body:
            self._task = asyncio.get_running_loop().create_task(self._stream())
        else:
            self._transport.write(INFERENCE)

    async def _stream(self) -> None:
        self._transport.write(STREAM_HEAD)
        burst = _chunked(CHUNK) * BURST
        for _ in range(CHUNKS // BURST):
            await self._writable.wait()
            self._transport.write(burst)
            await asyncio.sleep(0)
        self._transport.write(_chunked(END) + b"0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
