"""The two forms of an answer: one JSON body, or a stream of server-sent events."""

import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from vllm_simulator.answering import generate
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.faults import Parameters
from vllm_simulator.generation import Generation
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import body_of, drop


@dataclass(frozen=True)
class Shape:
    """How an endpoint names its objects and where it puts the text."""

    id_prefix: str
    whole: str
    chunk: str
    is_chat: bool

    def choice(self, text: str, finish_reason: str | None) -> dict[str, Any]:
        """Build the choice of a whole answer."""
        where = (
            {"message": {"role": "assistant", "content": text}} if self.is_chat else {"text": text}
        )
        return {"index": 0, **where, "logprobs": None, "finish_reason": finish_reason}

    def delta(self, content: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        """Build the choice of one chunk."""
        where = {"delta": content} if self.is_chat else {"text": content.get("content", "")}
        return {"index": 0, **where, "logprobs": None, "finish_reason": finish_reason}


CHAT = Shape("chatcmpl-", "chat.completion", "chat.completion.chunk", True)
COMPLETION = Shape("cmpl-", "text_completion", "text_completion", False)


async def reply(request: web.Request, shape: Shape, wanted: Generation) -> web.StreamResponse:
    """Answer in one body. An aborted request is a 200 with finish_reason abort, as in vLLM."""
    simulator = request.app[SIMULATOR]
    try:
        async with contextlib.aclosing(generate(simulator.engine, wanted)) as tokens:
            text = "".join([token async for token in tokens])
    except EngineDeadError:
        if simulator.gone:
            return drop(request)
        raise
    body = {
        **_head(shape.whole, simulator.engine.settings.model, wanted),
        "choices": [shape.choice(text, wanted.finish_reason)],
        "usage": _usage(wanted),
    }
    breaks = simulator.faults.strike("truncate_answers")
    if breaks:
        return await _break_off(request, json.dumps(body).encode())
    return web.json_response(body)


async def stream(
    request: web.Request, shape: Shape, wanted: Generation, *, include_usage: bool
) -> web.StreamResponse:
    """Answer as events. The 200 is sent before the engine has seen the request, as in vLLM."""
    simulator = request.app[SIMULATOR]
    breaks = simulator.faults.strike("truncate_answers")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    head = _head(shape.chunk, simulator.engine.settings.model, wanted)
    try:
        async for choice in _choices(shape, wanted, request, breaks):
            await _send(response, {**head, "choices": [choice]})
        if include_usage:
            await _send(response, {**head, "choices": [], "usage": _usage(wanted)})
    except (EngineDeadError, EnginePausedError) as error:
        if simulator.gone:
            return drop(request)
        await _send(response, body_of(error))
    except _BrokenOffError:
        return drop(request) if breaks and breaks["reset"] else response
    await response.write(b"data: [DONE]\n\n")
    return response


class _BrokenOffError(Exception):
    """The answer is to end here without a word."""


async def _choices(
    shape: Shape, wanted: Generation, request: web.Request, breaks: Parameters | None
) -> Any:
    engine = request.app[SIMULATOR].engine
    async with contextlib.aclosing(generate(engine, wanted)) as tokens:
        if shape.is_chat:
            yield shape.delta({"role": "assistant", "content": ""}, None)
        async for token in tokens:
            if breaks and wanted.completion_tokens > breaks["after_tokens"]:
                raise _BrokenOffError
            yield shape.delta({"content": token}, None)
    yield shape.delta({"content": ""}, wanted.finish_reason)


async def _break_off(request: web.Request, body: bytes) -> web.StreamResponse:
    """Announce the whole body, send half of it and break the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return drop(request)


async def _send(response: web.StreamResponse, event: Any) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


def _head(kind: str, model: str, wanted: Generation) -> dict[str, Any]:
    return {
        "id": wanted.request_id,
        "object": kind,
        "created": int(time.time()),
        "model": model,
    }


def _usage(wanted: Generation) -> dict[str, int]:
    return {
        "prompt_tokens": wanted.prompt_tokens,
        "completion_tokens": wanted.completion_tokens,
        "total_tokens": wanted.prompt_tokens + wanted.completion_tokens,
    }
