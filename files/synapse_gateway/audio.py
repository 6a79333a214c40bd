"""Passes audio requests on to speech engines, piece by piece in both directions.

LiteLLM is not on this road: docs/adr/0010-speech.md has the measurements.
"""

from __future__ import annotations

import asyncio

import aiohttp
from starlette.types import Receive

from synapse_gateway import audio_pass, errors, transcripts
from synapse_gateway.audio_answer import Trouble
from synapse_gateway.audio_ask import Ask
from synapse_gateway.config import Config, Model
from synapse_gateway.engines import UNREACHED, Engines
from synapse_gateway.errors import Refusal
from synapse_gateway.exchange import Exchange
from synapse_gateway.intake import ClientLeft
from synapse_gateway.lines import Lines
from synapse_gateway.relay import Relay


class AudioRoad:
    """Every audio request's way to the first model of its chain that answers."""

    def __init__(self, config: Config, lines: Lines, engines: Engines) -> None:
        """Remember the models, who waits for them and how they are reached."""
        self._config = config
        self._lines = lines
        self._engines = engines

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
        for model in filter(ask.suits, self._config.chain(ask.model)):
            exchange.begin(model)
            try:
                async with self._lines.turn(model, exchange):
                    failed = await self._attempt(exchange, relay, model, ask)
                if failed is None:
                    return
                reason, refusal = failed
            except Refusal as long_line:
                reason, refusal = "busy", long_line
            except UNREACHED as error:
                if relay.started:
                    await audio_pass.interrupt(exchange, relay, ask)
                    return
                slow = isinstance(error, aiohttp.SocketTimeoutError)
                reason = "timeout" if slow else "unreachable"
                refusal = errors.timed_out(ask.asked) if slow else errors.unavailable(ask.asked)
            exchange.reason = exchange.reason or reason
            if refusal.status < 500:
                break
        raise refusal

    async def _attempt(
        self, exchange: Exchange, relay: Relay, model: Model, ask: Ask
    ) -> tuple[str, Refusal] | None:
        """Ask one model; return why it did not serve, None if it did."""
        try:
            return await self._answered(exchange, relay, model, ask)
        except aiohttp.ClientPayloadError:
            if relay.started or not (ask.stream and ask.upload):
                raise
            # Speaches begins a stream before it looks for speech, and breaks off if there is none.
            return await self._answered(exchange, relay, model, ask.whole())

    async def _answered(
        self, exchange: Exchange, relay: Relay, model: Model, ask: Ask
    ) -> tuple[str, Refusal] | None:
        headers, body = ask.written(model)
        async with self._engines.ask("POST", model, ask.path, headers, body) as answer:
            if answer.status == 200:
                await audio_pass.pass_on(exchange, relay, model, answer, ask)
                return None
            trouble = await Trouble.read(answer)
        if trouble.is_silence:
            await audio_pass.whole(relay, model, *transcripts.silent(ask))
            return None
        return trouble.told(model, ask.asked)


async def _left(receive: Receive) -> None:
    """Return once the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
