"""What engines without words share; and /pooling and /classify, which show their bare numbers."""

import contextlib
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.answering import generate
from vllm_simulator.checking import EmbeddingRequest, check_length, missing, read
from vllm_simulator.dialects.common import new_id, settings_of, text_of
from vllm_simulator.generation import Generation
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import refusal
from vllm_simulator.json_answer import json_answer


def add_routes(app: web.Application, kind: str) -> None:
    """Add the routes; only an engine that makes scores classifies."""
    app.router.add_post("/pooling", pooling)
    if kind == "score":
        app.router.add_post("/classify", classify)


async def pooling(request: web.Request) -> web.StreamResponse:
    """Show the numbers of each text."""
    answer_id = new_id(request, "pooling-")
    rows, usage = await rows_of(request, answer_id, await read(request, EmbeddingRequest))
    data = [{"index": place, "object": "pooling", "data": row} for place, row in enumerate(rows)]
    return json_answer(listed(request, answer_id, data, usage))


async def classify(request: web.Request) -> web.StreamResponse:
    """Show the likelihood of the one class that there is."""
    answer_id = new_id(request, "classify-")
    rows, usage = await rows_of(request, answer_id, await read(request, EmbeddingRequest))
    data = [
        {"index": place, "label": "LABEL_0", "probs": row, "num_classes": 1}
        for place, row in enumerate(rows)
    ]
    return json_answer(listed(request, answer_id, data, usage))


async def rows_of(
    request: web.Request, answer_id: str, asked: EmbeddingRequest
) -> tuple[list[list[float]], dict[str, Any]]:
    """Make what the model makes of each text, a vector or one number, and count tokens."""
    check_served(request, asked.model)
    if asked.input is None and not asked.messages:
        raise missing(asked, "input")
    texts = [text_of(asked.messages)] if asked.messages else text_list(asked.input)
    spoilt, usage = await computed(request, answer_id, texts)
    return [_row(request, text, spoilt=spoilt) for text in texts], usage


def _row(request: web.Request, text: str, *, spoilt: bool) -> list[float]:
    settings = settings_of(request)
    if settings.kind == "score":
        return [0.0 if spoilt else answers.likeness(settings.model, settings.seed, text, "")]
    if spoilt:
        return [0.0] * answers.VECTOR_SIZE
    return answers.vector(settings.model, settings.seed, text)


def check_served(request: web.Request, model: str | None) -> None:
    """Refuse a model that is not served; these routes say less about it than the others."""
    if model and model != settings_of(request).model:
        sentence = f"The model `{model}` does not exist."
        raise refusal(sentence, status=HTTPStatus.NOT_FOUND)


async def computed(
    request: web.Request, answer_id: str, prompts: Sequence[str]
) -> tuple[bool, dict[str, Any]]:
    """Wait until the engine has read all prompts; tell whether it made garbage, and the usage."""
    if not prompts:
        raise refusal("You must pass at least one prompt")
    counts = [answers.count_tokens(prompt) for prompt in prompts]
    for prompt, count in zip(prompts, counts, strict=True):
        if not prompt:
            raise refusal("The decoder prompt cannot be empty")
        check_length(count, None, settings_of(request))
    # One generation stands for all of them: its only token says that they were computed.
    wanted = Generation(answer_id, "\n".join(prompts), sum(counts), 1, greedy=True)
    async with contextlib.aclosing(generate(request.app[SIMULATOR].engine, wanted)) as pieces:
        spoilt = [piece.text async for piece in pieces] == [answers.GARBAGE]
    return spoilt, {
        "prompt_tokens": sum(counts),
        "total_tokens": sum(counts),
        "completion_tokens": 0,
        "prompt_tokens_details": None,
        "completion_tokens_details": None,
    }


def listed(
    request: web.Request, answer_id: str, data: list[dict[str, Any]], usage: dict[str, Any]
) -> dict[str, Any]:
    """Build the answer of all routes but /rerank."""
    model = settings_of(request).model
    body = {"id": answer_id, "object": "list", "created": int(time.time()), "model": model}
    return {**body, "data": data, "usage": usage}


def text_list(given: Any) -> list[str]:
    """Read one text or several, each as text or as tokens."""
    if not isinstance(given, list) or (given and isinstance(given[0], int)):
        return [text_of(given)]
    return [text_of(each) for each in given]
