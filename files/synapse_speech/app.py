"""The server's HTTP routes, OpenAI's and a few of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from synapse_common.engines import PIPER
from synapse_common.refusals import Refusal
from synapse_speech import answering, asking
from synapse_speech.config import Config
from synapse_speech.errors import malformed
from synapse_speech.metrics import Metrics
from synapse_speech.speaking import Studio
from synapse_speech.voices import Voice, described

BYTES_A_CHARACTER = 12
"""The most that JSON takes for one: two escapes of six letters."""
BODY_TIMEOUT_S = 30.0


class Server:
    """What the routes share."""

    def __init__(self, config: Config, voices: Mapping[str, Voice], metrics: Metrics) -> None:
        """Speak with these voices."""
        self._config = config
        self._voices = voices
        self._metrics = metrics
        settings = config.settings
        self._studio = Studio(settings.workers, settings.requests_at_once, self._metrics)
        self._body_limit = settings.input_characters * BYTES_A_CHARACTER + 4096

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/v1/audio/speech", self.speech, methods=["POST"]),
            Route("/v1/audio/voices", self.voices),
            Route("/v1/models", self.models),
            Route("/health", self.health),
        ]

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            self._studio.close()

        return Starlette(routes=routes, lifespan=lifespan)

    async def speech(self, request: Request) -> Response:
        """Speak a text; whatever is wrong with the request is said before the first byte."""
        try:
            body = await self._body(request)
            ask = asking.understand(
                body, self._config, self._voices, asking.claim_of(request.headers)
            )
            return answering.Speech(ask, self._studio, self._metrics)
        except Refusal as refusal:
            return answering.refused(refusal, self._metrics)
        except ClientDisconnect:
            return Response(status_code=499)

    async def voices(self, _: Request) -> Response:
        """List every name that a client may use for a voice that is there, with its language.

        Clients read either key: `data` is how OpenAI writes lists, `voices` how others do.
        """
        listed = [
            {
                "id": name,
                "name": name,
                "model": model.name,
                "voice": who.voice,
                "speaker": who.speaker,
            }
            | {"language": self._voices[who.voice].language}
            for model in self._config.models.values()
            for name, who in model.voices.items()
            if who.voice in self._voices
        ]
        return JSONResponse({"object": "list", "data": listed, "voices": listed})

    async def models(self, _: Request) -> Response:
        """List the models that have a voice, as OpenAI does."""
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": PIPER.name}
            for name, model in self._config.models.items()
            if described(model.voices, self._voices)
        ]
        return JSONResponse({"object": "list", "data": data})

    async def health(self, _: Request) -> Response:
        """Say that the process answers; it has loaded its voices before it listens."""
        return JSONResponse({"status": "ok"})

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for piece in request.stream():
                    body += piece
                    if len(body) > self._body_limit:
                        raise malformed(f"The body is larger than {self._body_limit} bytes.")
        except TimeoutError:
            raise malformed(f"The body did not arrive within {BODY_TIMEOUT_S:g} s.") from None
        return bytes(body)


def make(config: Config, voices: Mapping[str, Any], metrics: Metrics) -> Starlette:
    """Return the application that speaks with these voices, and counts what it does."""
    return Server(config, voices, metrics).app()
