"""/rerank and /score: texts are compared with one."""

import time
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.checking import ScoreRequest, check_model, read
from vllm_simulator.dialects.common import generation, new_id, settings_of, text_of
from vllm_simulator.dialects.embeddings import computed, pooled_usage
from vllm_simulator.json_answer import json_answer


def add_routes(app: web.Application) -> None:
    """Add the routes with all their names."""
    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        app.router.add_post(path, rerank)
    for path in ("/score", "/v1/score"):
        app.router.add_post(path, score)


async def rerank(request: web.Request) -> web.StreamResponse:
    """Sort documents by how well they fit a query."""
    asked = await read(request, ScoreRequest)
    answer_id = new_id(request, "rerank-")
    texts = [text_of(each) for each in asked.documents or []]
    scores, usage = await _scores(request, asked, asked.query or "", texts, answer_id)
    results = [
        {"index": place, "document": {"text": text, "multi_modal": None}, "relevance_score": value}
        for place, (text, value) in enumerate(zip(texts, scores, strict=True))
    ]
    results.sort(key=lambda result: -scores[int(str(result["index"]))])
    short = {name: usage[name] for name in ("prompt_tokens", "total_tokens")}
    model = settings_of(request).model
    kept = results[: asked.top_n or None]
    return json_answer({"id": answer_id, "model": model, "usage": short, "results": kept})


async def score(request: web.Request) -> web.StreamResponse:
    """Compare a text with one or several."""
    asked = await read(request, ScoreRequest)
    answer_id = new_id(request, "score-")
    others = asked.text_2 if isinstance(asked.text_2, list) else [asked.text_2]
    texts = [text_of(each) for each in others]
    scores, usage = await _scores(request, asked, text_of(asked.text_1), texts, answer_id)
    data = [
        {"index": place, "object": "score", "score": value} for place, value in enumerate(scores)
    ]
    model = settings_of(request).model
    body = {"id": answer_id, "object": "list", "created": int(time.time()), "model": model}
    return json_answer({**body, "data": data, "usage": usage})


async def _scores(
    request: web.Request, asked: ScoreRequest, query: str, texts: list[str], answer_id: str
) -> tuple[list[float], dict[str, Any]]:
    settings = settings_of(request)
    check_model(asked.model, settings)
    whole = "\n".join([query, *texts])
    wanted = generation(request, answer_id, whole, 1, temperature=0, thinks=False)
    spoilt = await computed(request, wanted)
    values = [
        0.0 if spoilt else answers.likeness(settings.model, settings.seed, query, text)
        for text in texts
    ]
    return values, pooled_usage(wanted)
