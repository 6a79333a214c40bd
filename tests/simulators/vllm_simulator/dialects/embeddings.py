"""/v1/embeddings: texts become vectors; like every request they wait while the engine sleeps."""

import base64
import contextlib
import struct
import time
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.answering import generate
from vllm_simulator.checking import EmbeddingRequest, check_length, check_model, read
from vllm_simulator.dialects.common import generation, new_id, settings_of, text_of
from vllm_simulator.generation import Generation
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import refusal
from vllm_simulator.json_answer import json_answer

VECTOR_SIZE = 32


def add_routes(app: web.Application) -> None:
    """Add the route."""
    app.router.add_post("/v1/embeddings", embeddings)


async def embeddings(request: web.Request) -> web.StreamResponse:
    """Make the vector of each text."""
    asked = await read(request, EmbeddingRequest)
    settings = settings_of(request)
    check_model(asked.model, settings)
    given = asked.input if isinstance(asked.input, list) else [asked.input]
    texts = [text_of(each) for each in ([given] if given and isinstance(given[0], int) else given)]
    for text in texts:
        check_length(answers.count_tokens(text), None, settings)
    if not texts:
        raise refusal("Please provide at least one input.")
    answer_id = new_id(request, "embd-")
    wanted = generation(request, answer_id, "\n".join(texts), 1, temperature=0, thinks=False)
    spoilt = await computed(request, wanted)
    size = asked.dimensions or VECTOR_SIZE
    data = [
        {
            "index": place,
            "object": "embedding",
            "embedding": _encoded(
                [0.0] * size
                if spoilt
                else answers.vector(settings.model, settings.seed, text, size),
                asked.encoding_format,
            ),
        }
        for place, text in enumerate(texts)
    ]
    body = {"id": answer_id, "object": "list", "created": int(time.time()), "model": settings.model}
    return json_answer({**body, "data": data, "usage": pooled_usage(wanted)})


async def computed(request: web.Request, wanted: Generation) -> bool:
    """Wait until the engine has computed; tell whether what it made is garbage."""
    engine = request.app[SIMULATOR].engine
    async with contextlib.aclosing(generate(engine, wanted)) as pieces:
        return [piece.text async for piece in pieces] == [answers.GARBAGE]


def pooled_usage(wanted: Generation) -> dict[str, Any]:
    """Count what was read; nothing is written."""
    read_tokens = wanted.prompt_tokens
    return {
        "prompt_tokens": read_tokens,
        "total_tokens": read_tokens,
        "completion_tokens": 0,
        "prompt_tokens_details": None,
    }


def _encoded(vector: list[float], form: str) -> list[float] | str:
    if form == "float":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
