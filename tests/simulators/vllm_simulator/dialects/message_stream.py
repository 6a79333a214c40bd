"""/v1/messages as a stream: blocks of thinking, text and tool calls, one after the other."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from vllm_simulator.answering import together
from vllm_simulator.dialects.chat_parts import call_id
from vllm_simulator.dialects.common import BrokenOffError, EventStream, settings_of
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Channel, Generation, Piece
from vllm_simulator.hosting import SIMULATOR

_REASONS = {"stop": "end_turn", "length": "max_tokens"}
_Event = dict[str, Any]


async def stream(request: web.Request, wanted: Generation) -> web.StreamResponse:
    """Answer as events."""
    events = EventStream(request)
    await events.open()
    teller = _Teller(request, wanted)
    try:
        async with contextlib.aclosing(together(request.app[SIMULATOR].engine, [wanted])) as pieces:
            async for _, piece in pieces:
                if piece is not None:
                    events.count()
                for event in teller.of(piece):
                    await events.send(event, event["type"])
    except (EngineDeadError, EnginePausedError) as error:
        failure = events.failed(error)
        if failure is None:
            return events.dropped()
        told = {"type": "internal_error", "message": failure["error"]["message"]}
        await events.send({"type": "error", "error": told}, "error")
        await events.done()
    except BrokenOffError:
        return events.broken()
    return events.end()


def stop_reason(request: web.Request, wanted: Generation) -> str | None:
    """Say why a message ended; None: the engine cut it, for which there is no word.

    Before 0.33 a message that was cut while it waited looked as if it had ended well.
    """
    if wanted.cut_while_waiting and not settings_of(request).behaviour.ends_waiting_streams:
        return "end_turn"
    if wanted.call is not None and wanted.finish_reason == "stop":
        return "tool_use"
    return _REASONS.get(wanted.finish_reason or "")


class _Teller:
    """Opens and closes the blocks as the tokens come."""

    def __init__(self, request: web.Request, wanted: Generation) -> None:
        self._request, self._wanted = request, wanted
        self._began = False
        self._channel: Channel | None = None
        self._index = 0

    def of(self, piece: Piece | None) -> Iterator[_Event]:
        """Tell a token; None ends the message."""
        if not self._began:
            self._began = True
            yield {"type": "message_start", "message": self._message()}
        if piece is None or piece.channel is not self._channel:
            yield from self._close()
        if piece is None:
            yield from self._end()
            return
        if self._channel is None:
            self._channel = piece.channel
            block = self._block()
            yield {"type": "content_block_start", "content_block": block, "index": self._index}
        if piece.text:
            yield self._delta(_delta(piece))

    def _close(self) -> Iterator[_Event]:
        if self._channel is None:
            return
        if self._channel is Channel.REASONING:
            yield self._delta({"type": "signature_delta", "signature": uuid.uuid4().hex})
        yield {"type": "content_block_stop", "index": self._index}
        self._index += 1
        self._channel = None

    def _end(self) -> Iterator[_Event]:
        wanted = self._wanted
        reason = stop_reason(self._request, wanted)
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": self._usage(),
        }
        yield {"type": "message_stop"}

    def _message(self) -> dict[str, Any]:
        return {
            "id": self._wanted.request_id,
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": settings_of(self._request).model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**self._usage(), "output_tokens": 0},
        }

    def _usage(self) -> dict[str, int]:
        wanted = self._wanted
        return {"input_tokens": wanted.prompt_tokens, "output_tokens": wanted.completion_tokens}

    def _block(self) -> dict[str, Any]:
        if self._channel is Channel.REASONING:
            return {"type": "thinking", "thinking": ""}
        if self._channel is Channel.TEXT or self._wanted.call is None:
            return {"type": "text", "text": ""}
        return {"type": "tool_use", "id": call_id(), "name": self._wanted.call.name, "input": {}}

    def _delta(self, delta: dict[str, Any]) -> _Event:
        return {"type": "content_block_delta", "delta": delta, "index": self._index}


def _delta(piece: Piece) -> dict[str, Any]:
    if piece.channel is Channel.REASONING:
        return {"type": "thinking_delta", "thinking": piece.text}
    if piece.channel is Channel.TEXT:
        return {"type": "text_delta", "text": piece.text}
    return {"type": "input_json_delta", "partial_json": piece.text}
