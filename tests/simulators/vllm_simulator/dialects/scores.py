"""/rerank and /score: texts are compared with one; engines that make vectors answer them too."""

from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.checking import RerankRequest, ScoreRequest, missing, read
from vllm_simulator.dialects.common import new_id, settings_of
from vllm_simulator.dialects.pooling import check_served, computed, listed, text_list
from vllm_simulator.http_errors import refusal
from vllm_simulator.json_answer import json_answer


def add_routes(app: web.Application) -> None:
    """Add the routes with all their names."""
    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        app.router.add_post(path, rerank)
    for path in ("/score", "/v1/score"):
        app.router.add_post(path, score)


async def rerank(request: web.Request) -> web.StreamResponse:
    """Sort documents by how well they fit a query."""
    asked = await read(request, RerankRequest)
    check_served(request, asked.model)
    answer_id = new_id(request, "score-")
    texts = text_list(asked.documents)
    scores, usage = await _scores(request, answer_id, [asked.query], texts)
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
    """Compare a text with one or several, or texts in pairs."""
    asked = await read(request, ScoreRequest)
    check_served(request, asked.model)
    answer_id = new_id(request, "score-")
    ones, others = _asked(asked)
    scores, usage = await _scores(request, answer_id, text_list(ones), text_list(others))
    data = [
        {"index": place, "object": "score", "score": value} for place, value in enumerate(scores)
    ]
    return json_answer(listed(request, answer_id, data, usage))


def _asked(asked: ScoreRequest) -> tuple[Any, Any]:
    for ones, others in (
        (asked.queries, asked.documents),
        (asked.queries, asked.items),
        (asked.data_1, asked.data_2),
        (asked.text_1, asked.text_2),
    ):
        if ones is not None and others is not None:
            return ones, others
    raise missing(asked, "queries")


async def _scores(
    request: web.Request, answer_id: str, ones: list[str], others: list[str]
) -> tuple[list[float], dict[str, Any]]:
    """Score each of the others with its one, or all with the only one."""
    if len(ones) > 1 and len(ones) != len(others):
        raise refusal("Input lengths must be either 1:1, 1:N or N:N")
    if not ones:
        raise refusal("At least one text element must be given")
    if not others:
        raise refusal("At least one text_pair element must be given")
    settings = settings_of(request)
    pairs = list(zip(ones * (len(others) if len(ones) == 1 else 1), others, strict=True))
    if settings.kind == "score":
        # Both texts are read as one, so the only one is read with each of the others.
        prompts = [" ".join(text for text in pair if text) for pair in pairs]
    else:
        prompts = [*ones, *others]
    spoilt, usage = await computed(request, answer_id, prompts)
    return [0.0 if spoilt else _likeness(request, *pair) for pair in pairs], usage


def _likeness(request: web.Request, one: str, other: str) -> float:
    settings = settings_of(request)
    if settings.kind == "score":
        return answers.likeness(settings.model, settings.seed, one, other)
    return answers.cosine(settings.model, settings.seed, one, other)
