"""The OpenAI routes: chat, completions, embeddings, models, tokenize."""

import contextlib
import json
import time
import uuid
from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.answering import generate
from vllm_simulator.generation import Generation
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import refuse
from vllm_simulator.replies import CHAT, COMPLETION, Shape, reply, stream

_VECTOR_SIZE = 32


def add_routes(app: web.Application) -> None:
    """Add the routes that every vLLM server has."""
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_post("/v1/completions", completions)
    app.router.add_post("/v1/embeddings", embeddings)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/tokenize", tokenize)


async def chat(request: web.Request) -> web.StreamResponse:
    """Answer a conversation."""
    return await _generate(request, CHAT, "messages")


async def completions(request: web.Request) -> web.StreamResponse:
    """Continue a text."""
    return await _generate(request, COMPLETION, "prompt")


async def embeddings(request: web.Request) -> web.StreamResponse:
    """Turn texts into vectors; like every request, wait while the engine sleeps."""
    body = await _body(request, "input")
    if isinstance(body, web.Response):
        return body
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    texts = [str(text) for text in given]
    wanted = _generation(request, "embd-", "\n".join(texts), {"max_tokens": 1})
    engine = request.app[SIMULATOR].engine
    async with contextlib.aclosing(generate(engine, wanted)) as tokens:
        spoilt = [token async for token in tokens] == [answers.GARBAGE]
    settings = engine.settings
    data = [
        {
            "object": "embedding",
            "index": place,
            "embedding": [0.0] * _VECTOR_SIZE
            if spoilt
            else answers.vector(settings.model, settings.seed, text, _VECTOR_SIZE),
        }
        for place, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": wanted.prompt_tokens, "total_tokens": wanted.prompt_tokens}
    return web.json_response(
        {"object": "list", "data": data, "model": settings.model, "usage": usage}
    )


async def models(request: web.Request) -> web.Response:
    """List the one model; also while it sleeps."""
    settings = request.app[SIMULATOR].engine.settings
    gpu = {
        "id": settings.model,
        "object": "model",
        "created": int(time.time()),
        "owned_by": "vllm",
        "root": settings.model,
        "parent": None,
        "max_model_len": settings.max_model_len,
    }
    return web.json_response({"object": "list", "data": [gpu]})


async def tokenize(request: web.Request) -> web.Response:
    """Count the tokens of a prompt; also while the model sleeps."""
    body = await request.json()
    count = answers.count_tokens(_text(body.get("prompt") or body.get("messages") or ""))
    limit = request.app[SIMULATOR].engine.settings.max_model_len
    return web.json_response({"count": count, "max_model_len": limit, "tokens": list(range(count))})


async def _generate(request: web.Request, shape: Shape, field: str) -> web.StreamResponse:
    body = await _body(request, field)
    if isinstance(body, web.Response):
        return body
    wanted = _generation(request, shape.id_prefix, _text(body[field]), body)
    if body.get("stream"):
        include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return await stream(request, shape, wanted, include_usage=include_usage)
    return await reply(request, shape, wanted)


async def _body(request: web.Request, field: str) -> dict[str, Any] | web.Response:
    """Read the JSON body, or return the refusal that vLLM would send."""
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        return refuse(HTTPStatus.BAD_REQUEST, f"Invalid JSON: {error}", "Bad Request")
    if not isinstance(body, dict) or not body.get(field):
        return refuse(HTTPStatus.BAD_REQUEST, f"1 validation error:\n  {field}: Field required")
    settings = request.app[SIMULATOR].engine.settings
    if body.get("model", settings.model) != settings.model:
        return refuse(HTTPStatus.NOT_FOUND, f"The model `{body['model']}` does not exist.")
    tokens = answers.count_tokens(_text(body[field]))
    if tokens >= settings.max_model_len:
        return refuse(
            HTTPStatus.BAD_REQUEST,
            f"This model's maximum context length is {settings.max_model_len} tokens. However, "
            f"your request has {tokens} input tokens. Please reduce the length of the input.",
        )
    return body


def _generation(
    request: web.Request, id_prefix: str, prompt: str, body: dict[str, Any]
) -> Generation:
    settings = request.app[SIMULATOR].engine.settings
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or settings.max_model_len
    return Generation(
        request_id=id_prefix + request.headers.get("x-request-id", uuid.uuid4().hex),
        prompt=prompt,
        prompt_tokens=answers.count_tokens(prompt),
        max_tokens=max(1, int(limit)),
        greedy=body.get("temperature") == 0,
        ignore_eos=bool(body.get("ignore_eos")) and limit != settings.max_model_len,
    )


def _text(prompt: Any) -> str:
    """Flatten a prompt or a conversation to the text that decides the answer."""
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list):
        return "\n".join(_text(part) for part in prompt)
    if isinstance(prompt, dict):
        return f"{prompt.get('role', '')}: {_text(prompt.get('content') or prompt.get('text', ''))}"
    return str(prompt)
