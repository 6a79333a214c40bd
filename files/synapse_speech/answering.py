"""How speech leaves: as bytes or as events, until its end or until the client has gone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from synapse_common.protocol import SAMPLE_RATE
from synapse_common.refusals import Refusal
from synapse_speech import errors
from synapse_speech.asking import Ask
from synapse_speech.formats import FORMATS, encoded_rate
from synapse_speech.metrics import Metrics
from synapse_speech.speaking import Studio
from synapse_speech.voices import Phonemes

EVENTS = "text/event-stream"
CLIENT_LEFT = 499
JSON = "application/json"


def refused(refusal: Refusal, metrics: Metrics) -> Response:
    """Return a refusal, counted."""
    metrics.requests.labels(str(refusal.status)).inc()
    metrics.refusals.labels(refusal.code).inc()
    return Response(refusal.body(), refusal.status, dict(refusal.headers), JSON)


class Speech(Response):
    """The answer to one request; it starts when the first audio is there."""

    def __init__(self, ask: Ask, studio: Studio, metrics: Metrics) -> None:
        """Remember what to speak."""
        self._ask = ask
        self._studio = studio
        self._metrics = metrics
        self._began_s = time.monotonic()
        self._status = 500
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak until the end, or stop at once when the client leaves."""
        leaving = asyncio.create_task(_left(receive))
        speaking = asyncio.create_task(self._speak(send))
        try:
            await asyncio.wait({leaving, speaking}, return_when=asyncio.FIRST_COMPLETED)
            if speaking.done():
                await speaking
            else:
                self._status = CLIENT_LEFT
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, send)
        except Exception as error:
            print(json.dumps({"event": "failure", "error": repr(error)}), flush=True)
            if self._started:
                raise  # half an answer must not look whole: the connection breaks off
            await self._refuse(errors.broken(), scope, receive, send)
        finally:
            for task in (leaving, speaking):
                task.cancel()
            await asyncio.gather(leaving, speaking, return_exceptions=True)
            self._metrics.requests.labels(str(self._status)).inc()
            self._log()

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        self._status = refusal.status
        self._metrics.refusals.labels(refusal.code).inc()
        await Response(refusal.body(), refusal.status, dict(refusal.headers), JSON)(
            scope, receive, send
        )

    async def _speak(self, send: Send) -> None:
        async with self._studio.place(self._ask.claim):
            sentences = await self._studio.sentences(self._ask)
            pieces = self._studio.speak(self._ask, sentences)
            async with contextlib.aclosing(self._written(pieces, sentences)) as written:
                async for piece in written:
                    await self._send(send, piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self._status = 200

    async def _written(
        self, pieces: AsyncIterator[bytes], sentences: list[Phonemes]
    ) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            if self._ask.in_events:
                audio = base64.b64encode(piece).decode()
                yield _event({"type": "speech.audio.delta", "audio": audio})
            else:
                yield piece
        if self._ask.in_events:
            counted = {"input_tokens": sum(map(len, sentences)), "output_tokens": 0}
            usage = {**counted, "total_tokens": counted["input_tokens"]}
            yield _event({"type": "speech.audio.done", "usage": usage})

    async def _send(self, send: Send, piece: bytes) -> None:
        if not self._started:
            self._started = True
            first_s = time.monotonic() - self._began_s
            self._metrics.first_byte.labels(self._ask.model).observe(first_s)
            await send({"type": "http.response.start", "status": 200, "headers": self._head()})
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    def _head(self) -> list[tuple[bytes, bytes]]:
        kind = EVENTS if self._ask.in_events else FORMATS[self._ask.format].content_type
        rate = encoded_rate(self._ask.format, self._ask.voice.rate)
        headers = {"content-type": kind, "cache-control": "no-store", SAMPLE_RATE: str(rate)}
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    def _log(self) -> None:
        ask = self._ask
        line: dict[str, Any] = {
            "event": "request",
            "model": ask.model,
            "voice": ask.speaker.voice,
            "format": ask.format,
            "characters": len(ask.text),
            "status": self._status,
            "duration_s": round(time.monotonic() - self._began_s, 4),
        }
        print(json.dumps(line), file=sys.stdout, flush=True)


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


async def _left(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
