"""An engine that costs next to nothing: fixed answers on a bare protocol, for measuring proxies."""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = (
    b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hi"},"finish_reason":"stop","token_ids":[1]}],"usage":{"completion_tokens":1}}'
)  # the token makes it pass the arbiter's canary
CHUNK = (
    b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    b'{"content":"tok"},"finish_reason":null}]}\n\n'
)
END = CHUNK.replace(b"null", b'"stop"') + b"data: [DONE]\n\n"
NATIVE = (  # of Ollama's own API
    b'{"model":"x","created_at":"2026-11-30T18:11:00.75925273Z","message":{"role":"assistant",'
    b'"content":"Hi"},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":1}'
)
LINE = NATIVE.split(b',"done":')[0] + b',"done":false}\n'
LAST_LINE = NATIVE + b"\n"
REFUSED_MODEL = b'"model":"full"'
"""Whoever asks for it is sent away."""
CHUNKS = 20_000
BURST = 50  # chunks that leave in one write, as a busy engine's do


def _response(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


INFERENCE = _response(ANSWER)
NATIVE_INFERENCE = _response(NATIVE)
AWAKE = _response(b'{"is_sleeping":false}')
FULL = _response(b'{"error":{"message":"busy","code":503}}', b"503 Service Unavailable")
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = STREAM_HEAD % b"text/event-stream", CHUNK, END
LINES = STREAM_HEAD % b"application/x-ndjson", LINE, LAST_LINE


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
        native = head.startswith(b"post /api/")
        if not native and not head.startswith(b"post /v1/"):
            self._transport.write(AWAKE)
        elif REFUSED_MODEL in body:
            self._transport.write(FULL)
        elif b'"stream":true' in body:
            stream = self._stream(*(LINES if native else EVENTS))
            self._task = asyncio.get_running_loop().create_task(stream)
        else:
            self._transport.write(NATIVE_INFERENCE if native else INFERENCE)

    async def _stream(self, head: bytes, chunk: bytes, end: bytes) -> None:
        self._transport.write(head)
        burst = _chunked(chunk) * BURST
        for _ in range(CHUNKS // BURST):
            await self._writable.wait()
            self._transport.write(burst)
            await asyncio.sleep(0)
        self._transport.write(_chunked(end) + b"0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
