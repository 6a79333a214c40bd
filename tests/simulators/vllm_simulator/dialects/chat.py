"""/v1/chat/completions: a conversation, in one answer."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers, calling
from vllm_simulator.answering import gathered
from vllm_simulator.checking import (
    ChatRequest,
    check_chat,
    check_length,
    check_model,
    check_sampling,
    check_stops,
    read,
)
from vllm_simulator.dialects import chat_parts, chat_stream
from vllm_simulator.dialects.common import (
    build,
    generation,
    head,
    new_id,
    newest,
    prompt_of,
    settings_of,
    usage,
    whole,
)
from vllm_simulator.generation import Generation, Piece
from vllm_simulator.hosting import SIMULATOR


def add_routes(app: web.Application) -> None:
    """Add the route, and the one that clouds call."""
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/invocations", chat)


async def chat(request: web.Request) -> web.StreamResponse:
    """Answer a conversation."""
    asked = await read(request, ChatRequest)
    settings = settings_of(request)
    check_stops("stop", asked.stop, settings)
    check_model(asked.model, settings)
    check_sampling(asked, settings)
    check_chat(asked, settings)
    wanted = plan(request, asked)
    check_length(wanted[0].prompt_tokens, asked.max_completion_tokens or asked.max_tokens, settings)
    if asked.stream:
        return await chat_stream.stream(request, asked, wanted)
    said = await gathered(request.app[SIMULATOR].engine, wanted)
    return await whole(request, _body(request, asked, wanted, said))


def plan(request: web.Request, asked: ChatRequest) -> list[Generation]:
    """Plan every choice."""
    answer_id = new_id(request, "chatcmpl-")
    prompt = prompt_of(asked.messages, asked.tools)
    call = calling.demanded(asked.tools or [], asked.tool_choice)
    return [
        generation(
            request,
            answer_id,
            prompt,
            asked.max_completion_tokens or asked.max_tokens,
            temperature=asked.temperature,
            thinks=asked.thinks,
            call=call or (calling.dictated(asked.dictated) if asked.tools else None),
            dictated=asked.dictated,
            ignore_eos=asked.ignore_eos,
            stop=asked.stops,
            choice=choice,
        )
        for choice in range(asked.n or 1)
    ]


def _body(
    request: web.Request,
    asked: ChatRequest,
    wanted: Sequence[Generation],
    said: Sequence[Sequence[Piece]],
) -> dict[str, Any]:
    ids = answers.token_ids(wanted[0].prompt) if asked.return_token_ids else None
    choices = [
        {
            "index": each.choice,
            "message": chat_parts.message(request, each, pieces),
            "logprobs": chat_parts.logprobs(asked, pieces),
            "finish_reason": chat_parts.finish_reason(each),
            "stop_reason": each.stop_reason,
            "token_ids": chat_parts.token_ids(asked, pieces),
            "routed_experts": None,
            **newest(request, weight_versions=None),
        }
        for each, pieces in zip(wanted, said, strict=True)
    ]
    return {
        **head(request, wanted[0].request_id, "chat.completion"),
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": build(request),
        "usage": {
            **usage(wanted),
            "prompt_tokens_details": None,
            "completion_tokens_details": chat_parts.reasoned(request, wanted),
        },
        "prompt_logprobs": None,
        "prompt_token_ids": ids,
        "prompt_text": None,
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }
