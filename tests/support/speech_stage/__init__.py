"""A voice that speaks on command, and a client that hears what it likes to."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import generate_latest
from starlette.applications import Starlette

from synapse_speech import app
from synapse_speech.config import Config, Model, Settings, Speaker
from synapse_speech.metrics import Metrics
from synapse_speech.voices import Phonemes, Samples

LIMIT_S = 10


class GatedVoice:
    """Speaks a second for each sentence, once the test lets it."""

    language = "en-US"
    rate = 16_000

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.gate = threading.Semaphore(0)
        self.fails = False

    def sentences(self, text: str) -> list[Phonemes]:
        return [[sentence] for sentence in text.split(".") if sentence.strip()]

    def speak(self, phonemes: Phonemes, speaker: int | None) -> Samples:
        assert self.gate.acquire(timeout=LIMIT_S)
        if self.fails:
            raise RuntimeError("the model is broken")
        self.spoken += phonemes
        return np.full(self.rate, 1000, dtype=np.int16)


def speaking(voice: GatedVoice, **settings: Any) -> Starlette:
    """Return a server with this voice alone."""
    voices = {"alloy": Speaker("hum"), "nova": Speaker("hum", 1)}
    models = {"piper": Model("piper", voices, "alloy")}
    counted = Metrics()
    server = app.make(Config(Path(), models, Settings(**settings)), {"hum": voice}, counted)
    server.state.metrics = counted
    return server


class Client:
    """One request; what it was answered arrives in `pieces`."""

    def __init__(
        self,
        server: Starlette,
        text: str,
        who: tuple[str, str] = ("app", "interactive"),
        **more: Any,
    ) -> None:
        body = {"model": "piper", "input": text, "response_format": "pcm", **more}
        self._body = json.dumps(body).encode()
        names = (b"x-synapse-app", b"x-synapse-priority")
        self._headers = [(name, value.encode()) for name, value in zip(names, who, strict=True)]
        self.status = 0
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.task = asyncio.create_task(self._run(server))

    async def _run(self, server: Starlette) -> None:
        head = {"type": "http", "method": "POST", "path": "/v1/audio/speech"}
        scope = {**head, "headers": self._headers, "query_string": b"", "asgi": {"version": "3.0"}}
        await server(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            body, self._body = self._body, b""
            return {"type": "http.request", "body": body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["body"]:
            await self.pieces.put(message["body"])

    async def piece(self) -> bytes:
        """Return the next piece of the answer."""
        async with asyncio.timeout(LIMIT_S):
            return await self.pieces.get()

    async def end(self) -> None:
        """Wait until the server is done with the request."""
        async with asyncio.timeout(LIMIT_S):
            await self.task


def metrics(server: Starlette) -> str:
    """Return what Prometheus would read."""
    return generate_latest(server.state.metrics.registry).decode()
