"""What every engine answers without its core: models, tokenize, detokenize."""

import time
import uuid

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.checking import Fields, check_model, read
from vllm_simulator.dialects.common import settings_of, text_of
from vllm_simulator.json_answer import json_answer


class _Tokenized(Fields):
    prompt: str | None = None
    messages: list[object] | None = None


class _Tokens(Fields):
    tokens: list[int]


def add_routes(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_get("/v1/models", models, allow_head=False)
    app.router.add_post("/tokenize", tokenize)
    app.router.add_post("/detokenize", detokenize)


async def models(request: web.Request) -> web.Response:
    """List the one model; also while it sleeps."""
    settings = settings_of(request)
    now = int(time.time())
    allowed = dict.fromkeys(("sampling", "logprobs", "view"), True)
    permission = {
        "id": f"modelperm-{uuid.uuid4().hex[:16]}",
        "object": "model_permission",
        "created": now,
        "allow_create_engine": False,
        "allow_search_indices": False,
        "allow_fine_tuning": False,
        **{f"allow_{what}": value for what, value in allowed.items()},
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
    model = {
        "id": settings.model,
        "object": "model",
        "created": now,
        "owned_by": "vllm",
        "root": settings.model,
        "parent": None,
        "max_model_len": settings.max_model_len,
        "permission": [permission],
    }
    return json_answer({"object": "list", "data": [model]})


async def tokenize(request: web.Request) -> web.Response:
    """Number the tokens of a prompt; also while the model sleeps."""
    asked = await read(request, _Tokenized)
    settings = settings_of(request)
    check_model(asked.model, settings)
    ids = answers.token_ids(text_of(asked.prompt or asked.messages or ""))
    limit = settings.max_model_len
    body = {"count": len(ids), "max_model_len": limit, "tokens": ids, "token_strs": None}
    return json_answer(body)


async def detokenize(request: web.Request) -> web.Response:
    """Turn tokens into text."""
    asked = await read(request, _Tokens)
    check_model(asked.model, settings_of(request))
    return json_answer({"prompt": " ".join(f"t{token}" for token in asked.tokens)})
