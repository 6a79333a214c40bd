"""Answers as server-sent events, and the ways in which they fail."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from vllm_simulator.answering import together
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Generation, Piece
from vllm_simulator.hosting import SIMULATOR, Simulator
from vllm_simulator.http_errors import body_of, drop
from vllm_simulator.json_answer import compact

_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8"}


class _BrokenOffError(Exception):
    """The answer ends here without a word."""


class Events:
    """One stream."""

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        """Send into a response whose status is sent already."""
        self._simulator: Simulator = request.app[SIMULATOR]
        self._response = response
        self._breaks = self._simulator.faults.strike("truncate_answers")

    @property
    def resets(self) -> bool:
        """Tell whether a stream that breaks off breaks its connection too."""
        return self._breaks is not None and bool(self._breaks["reset"])

    async def pieces(
        self, wanted: Sequence[Generation]
    ) -> AsyncGenerator[tuple[Generation, Piece | None], None]:
        """Yield what the engine says; None ends an answer. Break off if a fault says so."""
        said = 0
        async with contextlib.aclosing(together(self._simulator.engine, wanted)) as pieces:
            async for which, piece in pieces:
                said += piece is not None
                if self._breaks and said > self._breaks["after_tokens"]:
                    raise _BrokenOffError
                yield which, piece

    async def send(self, event: Any, name: str | None = None) -> None:
        """Send one event."""
        start = f"event: {name}\n" if name else ""
        await self._response.write(start.encode() + b"data: " + compact(event) + b"\n\n")

    async def done(self) -> None:
        """Say that nothing follows, as OpenAI does."""
        await self._response.write(b"data: [DONE]\n\n")


async def fail_as_openai(events: Events, error: dict[str, Any]) -> None:
    """Tell a failure in the middle of a stream."""
    await events.send(error)
    await events.done()


async def stream(
    request: web.Request,
    tell: Callable[[Events], Awaitable[None]],
    fail: Callable[[Events, dict[str, Any]], Awaitable[None]] = fail_as_openai,
) -> web.StreamResponse:
    """Answer as events. The 200 is sent before the engine has seen the request, as in vLLM."""
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    events = Events(request, response)
    try:
        await tell(events)
    except (EngineDeadError, EnginePausedError) as error:
        if request.app[SIMULATOR].gone:
            return drop(request)
        await fail(events, body_of(error))
    except _BrokenOffError:
        if events.resets:
            return drop(request)
    return response
