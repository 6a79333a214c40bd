"""Passes audio requests on to speech engines, piece by piece in both directions.

LiteLLM is not on this road: docs/adr/0010-speech.md has the measurements.
"""

from __future__ import annotations

import asyncio
import os

import aiohttp
from starlette.types import Receive

from synapse_gateway import audio_answer, errors
from synapse_gateway.audio_ask import Ask
from synapse_gateway.config import Config, Model
from synapse_gateway.exchange import Exchange
from synapse_gateway.intake import ClientLeft
from synapse_gateway.relay import Relay

EVENTS = "text/event-stream"
JSON = "application/json"


class AudioRoad:
    """Every audio request's way to the first model of its chain that answers."""

    def __init__(self, config: Config) -> None:
        """Remember the models; connections are opened when the first request needs one."""
        self._config = config
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=config.settings.connect_timeout_s,
            sock_read=config.settings.audio_silence_s,
        )
        self._http: aiohttp.ClientSession | None = None

    async def run(self, exchange: Exchange, relay: Relay, receive: Receive, ask: Ask) -> None:
        """Answer the request; a client that leaves ends the backend's work too."""
        exchange.asked, exchange.model, exchange.stream = ask.asked, ask.model, ask.stream
        exchange.bytes_in, exchange.audio_s = ask.bytes_in, ask.audio_s
        leaving = asyncio.create_task(_left(receive))
        serving = asyncio.create_task(self._serve(exchange, relay, ask))
        try:
            await asyncio.wait({leaving, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                raise ClientLeft
            await serving
        finally:
            leaving.cancel()
            serving.cancel()
            await asyncio.gather(leaving, serving, return_exceptions=True)

    async def _serve(self, exchange: Exchange, relay: Relay, ask: Ask) -> None:
        """Try one model after another until one begins to answer or refuses for good."""
        refusal = errors.unavailable(ask.asked)
        for model in self._config.chain(ask.model):
            exchange.begin(model)
            try:
                async with self._asked(model, ask) as answer:
                    failed = await audio_answer.failure(answer, model, ask.asked)
                    if failed is None:
                        await _pass(exchange, relay, model, answer)
                        return
                reason, refusal = failed
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if relay.started:
                    await _interrupt(exchange, relay, ask)
                    return
                slow = isinstance(error, aiohttp.SocketTimeoutError)
                reason = "timeout" if slow else "unreachable"
                refusal = errors.timed_out(ask.asked) if slow else errors.unavailable(ask.asked)
            exchange.reason = exchange.reason or reason
            if refusal.status < 500:
                break
        raise refusal

    def _asked(self, model: Model, ask: Ask) -> aiohttp.client._RequestContextManager:
        headers, body = ask.written(model)
        if model.key_variable:
            headers["authorization"] = f"Bearer {os.environ.get(model.key_variable, '')}"
        if self._http is None:
            # A connection of its own for every request: a pooled one that the engine has just
            # closed would fail a request that must not be sent twice.
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._http = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._http.post(f"{model.url}{ask.path}", data=body, headers=headers)


async def _pass(
    exchange: Exchange, relay: Relay, model: Model, answer: aiohttp.ClientResponse
) -> None:
    """Pass an answer on: (1) JSON once it is whole, (2) all else as it comes."""
    headers = {"content-type": answer.headers.get("content-type", JSON)}
    if answer.content_type == JSON:  # (1)
        body = await answer.read()
        exchange.audio_s = audio_answer.seconds_told(body) or exchange.audio_s
        await relay.begin({**headers, "content-length": str(len(body))}, model)
        await relay.pass_on(body, more=False)
        return
    if answer.content_type == EVENTS:
        headers["x-accel-buffering"] = "no"  # no proxy on the way may hold events back
    piece = await answer.content.readany()  # until here another model can take over
    await relay.begin(headers, model)
    while piece:  # (2)
        await relay.pass_on(piece)
        piece = await answer.content.readany()
    await relay.pass_on(b"", more=False)
    exchange.audio_s = (
        audio_answer.seconds_sent(answer, exchange.bytes_out or 0) or exchange.audio_s
    )


async def _interrupt(exchange: Exchange, relay: Relay, ask: Ask) -> None:
    """Tell a client whose answer had begun: by an event, or by a connection that breaks off."""
    refusal = errors.interrupted(ask.asked)
    if relay.in_events:
        await relay.pass_on(refusal.event(), more=False)
    exchange.status, exchange.error = refusal.status, refusal.code


async def _left(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
