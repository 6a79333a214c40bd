"""Passes one engine's stream on: whole events only, and none that another model would say again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp

from synapse_common import protocol
from synapse_common.answers.judges import too_large
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Within
from synapse_gateway.relay.exchange import Exchange
from synapse_gateway.relay.failure import EngineError, Failure
from synapse_gateway.relay.readers import Reader
from synapse_gateway.response import EVENTS, ResponseWriter, served_by

READ_AT_MOST = 4 * 1024
"""Bytes of a stream that are read at once: small events take the most time for each byte."""
HELD_AT_MOST = 1024**2
"""Bytes of events that say nothing."""


@dataclass
class Streaming:
    """One engine's stream on its way to the client."""

    writer: ResponseWriter
    model: Model
    asked: str
    """The name that the client asked for."""
    asking: Exchange
    read: Reader
    keepalive_s: float
    """After so long a silence the client gets a comment."""
    first_word_s: float
    """The longest time until the model says something."""
    held: bytes = b""
    """What says nothing yet: another model may still answer in its place."""

    async def run(self, answer: aiohttp.ClientResponse) -> Failure | None:
        """Pass on whole events; return why the model did not serve, None if it did."""
        async with Within(self.first_word_s) as self._first_word:
            return await self._run(answer)

    async def _run(self, answer: aiohttp.ClientResponse) -> Failure | None:
        asking, translation = self.asking, self.asking.translation
        guard = asking.guard(asking.judge, self.read.passes)
        ended = False
        while not ended and self.read.error is None:
            data = await self._next(answer)
            ended = not data
            if translation:
                data = translation.finish() if ended else translation.feed(data)
            await self._pass_on(guard.feed(data))
            if guard.cut is not None:
                raise guard.cut
        rest = guard.finish() if ended else b""
        if self.read.error is not None:
            return EngineError.of(500, self.read.error).failure(self.model, self.asked)
        self._first_word.reschedule(None)
        await self._begin()
        await self.writer.write(self.held + rest, more=False)
        return None

    async def _next(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the next bytes, none at the end; a client that waits for events hears meanwhile.

        Raises aiohttp.SocketTimeoutError when the engine is silent for too long.
        """
        while True:
            try:
                async with asyncio.timeout(self.keepalive_s):
                    data = await answer.content.read(READ_AT_MOST)
                if len(data) == READ_AT_MOST:
                    await asyncio.sleep(0)  # there is more, and others want their turn
                return data
            except aiohttp.SocketTimeoutError:
                raise
            except TimeoutError:
                if self.asking.stream_type == EVENTS:
                    await self.writer.ping()

    async def _pass_on(self, events: bytes) -> None:
        self.writer.events = self.asking.judge.number
        if not events:
            return
        if self.model.via_arbiter and not self.writer.record.is_answered:
            self.writer.record.note_wait(protocol.commented(events))
            # The arbiter is there, and counts the wait for the GPU itself.
            clock_s = asyncio.get_running_loop().time
            self._first_word.reschedule(clock_s() + self.first_word_s)
        if self.read.has_output:
            if not self.writer.record.is_answered:
                self._first_word.reschedule(None)
            await self._begin()
            held, self.held = self.held, b""
            await self.writer.write(held + events, more=True)
            self.writer.record.is_answered = True
            return
        comments, events = (b"", events) if self.held else _comments(events)
        if comments:
            if not self.writer.started:  # who will serve is not known yet
                await self.writer.begin({"content-type": self.asking.stream_type}, None)
            await self.writer.write(comments, more=True)
        self.held += events
        if len(self.held) > HELD_AT_MOST:
            raise too_large(HELD_AT_MOST)

    async def _begin(self) -> None:
        """Say who answers: in headers or, of a fallback once these left, in a comment."""
        record = self.writer.record
        if not self.writer.started:
            await self.writer.begin({"content-type": self.asking.stream_type}, self.model)
        elif not record.is_answered and record.model and record.model.name != self.model.name:
            await self.writer.write(protocol.comment(served_by(self.model)), more=True)


def _comments(events: bytes) -> tuple[bytes, bytes]:
    """Return the comments at the beginning, and what follows them."""
    end = 0
    while events.startswith(b":", end) and (gap := events.find(b"\n\n", end)) >= 0:
        end = gap + 2
    return events[:end], events[end:]
