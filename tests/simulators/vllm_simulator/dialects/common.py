"""What the dialects share: how a request becomes generations, and the parts of every answer."""

import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers, calling
from vllm_simulator.generation import Generation, Piece
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import drop
from vllm_simulator.json_answer import CONTENT_TYPE, compact, json_answer
from vllm_simulator.settings import Settings

_WORDS_AND_SIGNS = re.compile(r"\w+|[^\w\s]+")


def settings_of(request: web.Request) -> Settings:
    """Return what the engine is."""
    return request.app[SIMULATOR].engine.settings


def new_id(request: web.Request, prefix: str) -> str:
    """Name an answer: by what its client calls it, or by chance."""
    return prefix + request.headers.get("x-request-id", uuid.uuid4().hex[:16])


def head(request: web.Request, answer_id: str, kind: str) -> dict[str, Any]:
    """Begin an answer or an event of it."""
    model = settings_of(request).model
    return {"id": answer_id, "object": kind, "created": int(time.time()), "model": model}


def build(request: web.Request) -> str:
    """Name the build, as every answer does."""
    return f"vllm-{settings_of(request).version}-00000000"


def newest(request: web.Request, **fields: Any) -> dict[str, Any]:
    """Return fields that only the newest version has."""
    return fields if settings_of(request).behaviour.is_newest else {}


def text_of(prompt: Any) -> str:
    """Flatten a prompt or a conversation to the text that decides the answer."""
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list):
        return "\n".join(text_of(part) for part in prompt)
    if isinstance(prompt, dict):
        inside = prompt.get("content") or prompt.get("text", "")
        return f"{prompt.get('role', '')}: {text_of(inside)}"
    return str(prompt)


def prompt_of(conversation: Any, tools: Sequence[Mapping[str, Any]] | None) -> str:
    """Flatten a conversation; a template writes the tools before it, for the model to read.

    Their signs count beside their words: one token for about four characters, as usual for JSON.
    """
    written = [" ".join(_WORDS_AND_SIGNS.findall(json.dumps(tool))) for tool in tools or ()]
    return "\n".join([*written, text_of(conversation)])


def generation(
    request: web.Request,
    answer_id: str,
    prompt: str,
    max_tokens: int | None,
    *,
    temperature: float | None,
    thinks: bool = True,
    call: calling.Call | None = None,
    **more: Any,
) -> Generation:
    """Plan one answer; without a limit it may fill the context."""
    settings = settings_of(request)
    prompt_tokens = answers.count_tokens(prompt)
    room = settings.max_model_len - prompt_tokens
    return Generation(
        request_id=answer_id,
        prompt=prompt,
        prompt_tokens=prompt_tokens,
        # 0.33 cuts what does not fit behind the prompt; older ones have refused it before.
        max_tokens=min(max_tokens or room, room),
        greedy=temperature == 0,
        thinking_tokens=settings.reasoning_tokens if thinks else 0,
        call=call,
        **more,
    )


def usage(wanted: Sequence[Generation]) -> dict[str, int]:
    """Count tokens; choices of one prompt read it once."""
    read = sum({each.prompt: each.prompt_tokens for each in wanted}.values())
    wrote = sum(each.completion_tokens for each in wanted)
    return {"prompt_tokens": read, "total_tokens": read + wrote, "completion_tokens": wrote}


def logprob(piece: Piece, others: int) -> dict[str, Any]:
    """Say how likely a token was, and how likely others were."""
    first = _likely(piece.text, 0)
    top = [_likely(piece.text, place) for place in range(others)]
    return {**first, "top_logprobs": top}


def _likely(token: str, place: int) -> dict[str, Any]:
    other = token if place == 0 else f"{token}{place}"
    return {
        "token": other,
        "logprob": answers.logprob(token) - place,
        "bytes": list(other.encode()),
    }


async def whole(request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
    """Send an answer in one body, or half of it if a fault says so."""
    if not request.app[SIMULATOR].faults.strike("truncate_answers"):
        return json_answer(body)
    text = compact(body)
    response = web.StreamResponse(headers=CONTENT_TYPE)
    response.content_length = len(text)
    await response.prepare(request)
    await response.write(text[: len(text) // 2])
    return drop(request)
