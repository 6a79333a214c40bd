"""/v1/messages: Anthropic's Messages, in one answer or as a stream."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers, calling
from vllm_simulator.answering import gathered
from vllm_simulator.checking import (
    Fields,
    MessageRequest,
    check_length,
    check_model,
    check_parts,
    check_stops,
    read,
)
from vllm_simulator.dialects import message_stream
from vllm_simulator.dialects.chat_parts import call_id, called
from vllm_simulator.dialects.common import generation, new_id, prompt_of, settings_of, whole
from vllm_simulator.dialects.message_errors import told
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Channel, Generation, Piece
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import RefusedError
from vllm_simulator.json_answer import json_answer


class _Counted(Fields):
    messages: list[Any]
    system: Any = None
    tools: list[dict[str, Any]] | None = None


def add_routes(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_post("/v1/messages", messages)
    app.router.add_post("/v1/messages/count_tokens", count_tokens)


async def messages(request: web.Request) -> web.StreamResponse:
    """Answer a conversation."""
    asked = await read(request, MessageRequest)
    check_stops("stop_sequences", asked.stop_sequences, settings_of(request))
    try:
        return await _answer(request, asked)
    except (RefusedError, EngineDeadError, EnginePausedError) as error:
        if request.app[SIMULATOR].gone:
            raise
        raise told(request, error) from None


async def count_tokens(request: web.Request) -> web.Response:
    """Count without computing."""
    asked = await read(request, _Counted)
    count = answers.count_tokens(prompt_of(_conversation(asked), asked.tools))
    context = {"original_input_tokens": count}
    return json_answer({"input_tokens": count, "context_management": context})


def _conversation(asked: _Counted | MessageRequest) -> list[Any]:
    """Return the messages with the system text before them, where there is one."""
    first = [{"role": "system", "content": asked.system}] if asked.system else []
    return [*first, *asked.messages]


async def _answer(request: web.Request, asked: MessageRequest) -> web.StreamResponse:
    settings = settings_of(request)
    check_model(asked.model, settings)
    for said in asked.messages:
        check_parts(said.get("content"), "image", settings)
    wanted = generation(
        request,
        new_id(request, "chatcmpl-"),
        prompt_of(_conversation(asked), asked.tools),
        asked.max_tokens,
        temperature=asked.temperature,
        thinks=asked.thinks,
        call=_call(asked),
    )
    check_length(wanted.prompt_tokens, asked.max_tokens, settings)
    if asked.stream:
        return await message_stream.stream(request, wanted)
    (pieces,) = await gathered(request.app[SIMULATOR].engine, [wanted])
    reason = message_stream.stop_reason(request, wanted)
    body = {
        "id": wanted.request_id,
        "type": "message",
        "role": "assistant",
        "content": _blocks(wanted, pieces),
        "model": settings.model,
        **({"stop_reason": reason} if reason else {}),
        "usage": {"input_tokens": wanted.prompt_tokens, "output_tokens": wanted.completion_tokens},
    }
    return await whole(request, body)


def _call(asked: MessageRequest) -> calling.Call | None:
    """Translate Anthropic's tools and choice into OpenAI's."""
    tools = [
        {"function": {"name": tool["name"], "parameters": tool.get("input_schema")}}
        for tool in asked.tools or []
    ]
    match asked.tool_choice or {}:
        case {"type": "tool", "name": name}:
            return calling.demanded(tools, {"function": {"name": name}})
        case {"type": "any"}:
            return calling.demanded(tools, "required")
    return None


def _blocks(wanted: Generation, said: Sequence[Piece]) -> list[dict[str, Any]]:
    thought = "".join(piece.text for piece in said if piece.channel is Channel.REASONING)
    text = "".join(piece.text for piece in said if piece.channel is Channel.TEXT)
    blocks: list[dict[str, Any]] = []
    if thought:
        signed = {"thinking": thought, "signature": uuid.uuid4().hex}
        blocks.append({"type": "thinking", **signed})
    if text or not (thought or wanted.call):
        blocks.append({"type": "text", "text": text})
    if wanted.call is not None and called(wanted, said):
        block = {"type": "tool_use", "id": call_id(), "name": wanted.call.name}
        blocks.append({**block, "input": json.loads(wanted.call.arguments)})
    return blocks
