"""Asks one engine for text and passes its answer on, once nothing in it says that it was cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from synapse_common import protocol
from synapse_common.answers.judges import CutShort, cut_by_engine
from synapse_common.answers.lists import Lists
from synapse_common.answers.whole import read_whole
from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import Held
from synapse_common.engines import TRANSLATED
from synapse_common.refusals import Refusal
from synapse_gateway.body import breath
from synapse_gateway.config import Config, Model
from synapse_gateway.errors import GatewayFull, NoDialect
from synapse_gateway.needs import needs
from synapse_gateway.ollama.checks import penalties
from synapse_gateway.relay.engines import Engines, Within, who_asks
from synapse_gateway.relay.exchange import Exchange, exchange, straight
from synapse_gateway.relay.failure import EngineError, Failure, of_cut
from synapse_gateway.relay.most import most
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.readers import Reader, reader
from synapse_gateway.relay.streaming import Streaming
from synapse_gateway.request import Request
from synapse_gateway.response import EVENTS, ResponseWriter, served_by
from synapse_gateway.settings import Settings
from synapse_gateway.usage.tariffs import Took


@dataclass(frozen=True)
class TextJob:
    """One request for text, vectors or ranks."""

    request: Request
    engines: Engines
    config: Config
    ollama: OllamaFacts
    held: Held
    """The memory that the request holds, and its answer if that is read as a whole."""

    @property
    def settings(self) -> Settings:
        """The time-outs."""
        return self.config.settings

    def suits(self, model: Model) -> bool:
        """Say whether a fallback can do what is asked, as far as that is known."""
        needed = needs(self.request.fields)
        return not model.lacks(needed | {"vision"} if self.request.has_pictures else needed)

    def most(self, model: Model, longest: int) -> Took:
        """Return the most that a model outside may take for it, as far as one can tell."""
        return most(self.request, model, longest)

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        """Ask one model; return why it did not serve, None if it did."""
        try:
            await breath(self.request.size)
            asking, place = self._asking(model)
            await breath(self.request.size)
        except Refusal as refusal:
            return Failure("unsupported", refusal)
        unfollowed = await self._unfollowed(place) if _is_ollama(place) else ()
        await writer.tell_ignored({*self.request.ignored, *asking.ignored, *unfollowed})
        if asking.answered is not None:
            await writer.answer(asking.answered, served_by(model))
            return None
        read = reader(self.request.route.dialect, writer.record, self.request.usage_wanted)
        try:
            with self._translating(place):
                async with self.engines.health.needed(place, writer.record):
                    return await self._ask(writer, place, asking, read)
        except GatewayFull as full:
            return Failure("busy", full)
        except CutShort as cut:
            return of_cut(cut, self.request.asked)
        finally:
            read.ends(self.request.about_tokens, is_outside=model.leaves)
            writer.record.is_answered |= read.has_output and writer.started

    def _translating(self, place: Model) -> contextlib.AbstractContextManager[object]:
        """Return what holds a part of LiteLLM's memory, where that is asked."""
        if not place.via_litellm:
            return contextlib.nullcontext()
        return self.engines.translating.held_by(self.held.app, self.request.size)

    def _asking(self, model: Model) -> tuple[Exchange, Model]:
        """Return how a model is asked and where: itself, or LiteLLM for what its engine lacks."""
        try:
            return exchange(self.request, model), model
        except NoDialect:
            place = self.config.translated(model)
            if place is None or self.request.route.dialect not in TRANSLATED:
                raise
            return straight(self.request, place), place

    async def _unfollowed(self, model: Model) -> tuple[str, ...]:
        """Return the penalties of which an older Ollama does not tell its models."""
        asked = penalties(self.request.fields)
        return asked if asked and not await self.ollama.follows_penalties(model) else ()

    async def _ask(
        self, writer: ResponseWriter, model: Model, asking: Exchange, read: Reader
    ) -> Failure | None:
        if model.leaves:
            await writer.tell_outside(model)
        limit_s = self.settings.silence_s(self.request.route.kind, stream=self.request.stream)
        whole_s = None if self.request.stream else limit_s
        async with Within(whole_s), await self._answered(writer, model, asking, limit_s) as answer:
            writer.record.note_wait(answer.headers)
            if answer.status != 200:
                return (await EngineError.read(answer)).failure(model, self.request.asked)
            if self.request.stream:
                asked, keepalive_s = self.request.asked, self.settings.keepalive_s
                passing = Streaming(writer, model, asked, asking, read, keepalive_s, limit_s)
                return await passing.run(answer)
            payload = await read_whole(answer, self.held)
        lists = Lists()
        text = await lists.left_out(payload)
        pieces: Sequence[Bytes] = [payload]
        if asking.translation is not None:
            text = asking.translation.whole(text, lists)
            pieces = await lists.restored(text)
        asking.judge.whole(text)
        if asking.judge.failed:
            return EngineError.told(500, text).failure(model, self.request.asked)
        read.whole(asking.judge.told)
        await writer.answer_in_pieces(pieces, served_by(model))
        return None

    async def _send(
        self, writer: ResponseWriter, model: Model, asking: Exchange, limit_s: float
    ) -> aiohttp.ClientResponse:
        headers = who_asks(writer.record, model)
        if self.request.stream and model.via_arbiter and asking.stream_type == EVENTS:
            headers[protocol.PING] = f"{self.settings.keepalive_s:g}"
        if _is_ollama(model) and await self.ollama.cuts(model, limit_s):
            raise cut_by_engine()
        # The time for a whole answer is limited from its beginning to its end.
        first_byte_s = limit_s if self.request.stream else None
        return await self.engines.ask_quickly(
            model, asking.path, headers, asking.body, silence_s=limit_s, first_byte_s=first_byte_s
        )

    async def _answered(
        self, writer: ResponseWriter, model: Model, asking: Exchange, limit_s: float
    ) -> aiohttp.ClientResponse:
        """Wait for an engine's status; a client that waits for events hears meanwhile."""
        if not (self.request.stream and asking.stream_type == EVENTS):
            return await self._send(writer, model, asking, limit_s)
        sending = asyncio.create_task(self._send(writer, model, asking, limit_s))
        try:
            while not sending.done():
                await asyncio.wait([sending], timeout=self.settings.keepalive_s)
                if not sending.done():
                    await writer.ping()
        except BaseException:
            sending.cancel()
            raise
        return sending.result()


def _is_ollama(model: Model) -> bool:
    return model.engine_type.is_native and not model.via_litellm
