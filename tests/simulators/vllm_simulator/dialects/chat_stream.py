"""/v1/chat/completions: a conversation, as a stream."""

import contextlib
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.answering import together
from vllm_simulator.checking import ChatRequest
from vllm_simulator.dialects import chat_parts
from vllm_simulator.dialects.common import (
    BrokenOffError,
    EventStream,
    build,
    head,
    newest,
    settings_of,
)
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Channel, Generation, Piece
from vllm_simulator.hosting import SIMULATOR

_OPENING = ("<tool_call>", "\n")


async def stream(
    request: web.Request, asked: ChatRequest, wanted: Sequence[Generation]
) -> web.StreamResponse:
    """Answer as events."""
    events = EventStream(request)
    await events.open()
    chunks = Chunks(request, asked, wanted)
    engine = request.app[SIMULATOR].engine
    try:
        async with contextlib.aclosing(together(engine, wanted)) as pieces:
            async for which, piece in pieces:
                if piece is not None:
                    events.count()
                for chunk in chunks.of(which, piece):
                    await events.send(chunk)
        if chunks.tells_usage_at_the_end:
            await events.send(chunks.usage())
    except (EngineDeadError, EnginePausedError) as error:
        told = events.failed(error)
        if told is None:
            return events.dropped()
        await events.send(told)
    except BrokenOffError:
        return events.broken()
    await events.done()
    return events.end()


class Chunks:
    """The events of one answer, as its tokens come."""

    def __init__(
        self, request: web.Request, asked: ChatRequest, wanted: Sequence[Generation]
    ) -> None:
        """Begin; `wanted` are the choices."""
        self._request, self._asked, self._wanted = request, asked, wanted
        self._head = head(request, wanted[0].request_id, "chat.completion.chunk")
        self._began = False
        self._wrote = dict.fromkeys(range(len(wanted)), 0)
        self._thought = 0

    @property
    def tells_usage_at_the_end(self) -> bool:
        """Tell whether the usage comes after the answer."""
        return bool(self._asked.usage.include_usage)

    def of(self, wanted: Generation, piece: Piece | None) -> list[dict[str, Any]]:
        """Build the events that a token makes, or the end without one."""
        chunks = [] if self._began else [self._role(each) for each in self._wanted]
        self._began = True
        if piece is None:
            return chunks + self._cut(wanted)
        self._wrote[wanted.choice] += 1
        self._thought += piece.channel is Channel.REASONING
        deltas = self._deltas(wanted, piece)
        ended = piece.finish_reason is not None
        ends_alone = ended and piece.channel is Channel.CALL
        for place, delta in enumerate(deltas):
            last = ended and not ends_alone and place + 1 == len(deltas)
            chunks.append(self._chunk(wanted, delta, [piece], last=last))
        if ends_alone:
            chunks.append(self._chunk(wanted, {}, [], last=True))
        return chunks

    def usage(self) -> dict[str, Any]:
        """Build the last event: what the whole answer cost."""
        told = {"choices": [], "usage": self._usage(), "system_fingerprint": build(self._request)}
        return {**self._head, **told}

    def _cut(self, wanted: Generation) -> list[dict[str, Any]]:
        """Say that the engine ended the answer; older ones do not if it never ran."""
        if wanted.finish_reason != "abort":
            return []
        behaviour = settings_of(self._request).behaviour
        if wanted.cut_while_waiting and not behaviour.ends_waiting_streams:
            return []
        return [self._chunk(wanted, self._nothing(), [], last=True)]

    def _nothing(self) -> dict[str, Any]:
        return {} if settings_of(self._request).reasoning_tokens else {"content": ""}

    def _role(self, wanted: Generation) -> dict[str, Any]:
        delta = {"role": "assistant", "content": ""}
        ids = answers.token_ids(wanted.prompt) if self._asked.return_token_ids else None
        choice = {"index": wanted.choice, "delta": delta, "logprobs": None, "finish_reason": None}
        return {
            **self._head,
            "choices": [choice],
            **self._running_usage(),
            "prompt_token_ids": ids,
            "prompt_text": None,
        }

    def _deltas(self, wanted: Generation, piece: Piece) -> list[dict[str, Any]]:
        if piece.channel is not Channel.CALL:
            name = "reasoning" if piece.channel is Channel.REASONING else "content"
            return [{name: piece.text}]
        assert wanted.call is not None
        if piece.text:
            return [{"tool_calls": [{"index": 0, "function": {"arguments": piece.text}}]}]
        # The parser of written calls lets their opening pass as text before it knows better.
        opening = _OPENING if wanted.call.written else ()
        named = {"id": chat_parts.call_id(), "type": "function", "index": 0}
        named_call = {**named, "function": {"name": wanted.call.name}}
        return [*({"content": text} for text in opening), {"tool_calls": [named_call]}]

    def _chunk(
        self, wanted: Generation, delta: dict[str, Any], pieces: Sequence[Piece], *, last: bool
    ) -> dict[str, Any]:
        reason = chat_parts.finish_reason(wanted) if last else None
        ending = {"stop_reason": wanted.stop_reason, **newest(self._request, weight_versions=None)}
        choice = {
            "index": wanted.choice,
            "delta": delta,
            "logprobs": chat_parts.logprobs(self._asked, pieces),
            "finish_reason": reason,
            "token_ids": chat_parts.token_ids(self._asked, pieces),
            **(ending if last else {}),
        }
        fingerprint = {"system_fingerprint": build(self._request)}
        return {
            **self._head,
            "choices": [choice],
            **self._running_usage(),
            **(fingerprint if last and not self.tells_usage_at_the_end else {}),
            **newest(self._request, kv_transfer_params=None),
        }

    def _running_usage(self) -> dict[str, Any]:
        return {"usage": self._usage()} if self._asked.usage.continuous_usage_stats else {}

    def _usage(self) -> dict[str, Any]:
        read, wrote = self._wanted[0].prompt_tokens, sum(self._wrote.values())
        told = {"prompt_tokens": read, "total_tokens": read + wrote, "completion_tokens": wrote}
        parses = settings_of(self._request).reasoning_tokens > 0
        details = {"completion_tokens_details": {"reasoning_tokens": self._thought}}
        return {**told, **(details if parses else {})}
