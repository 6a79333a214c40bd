"""/v1/completions: a text goes on, in one answer or as a stream."""

import contextlib
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator import answers
from vllm_simulator.answering import gathered
from vllm_simulator.checking import (
    CompletionRequest,
    check_length,
    check_model,
    check_sampling,
    check_stops,
    read,
)
from vllm_simulator.dialects import events
from vllm_simulator.dialects.common import (
    build,
    generation,
    head,
    new_id,
    newest,
    settings_of,
    text_of,
    usage,
    whole,
)
from vllm_simulator.dialects.events import Events
from vllm_simulator.generation import Generation, Piece
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import wrong_value


def add_routes(app: web.Application) -> None:
    """Add the route."""
    app.router.add_post("/v1/completions", completions)


async def completions(request: web.Request) -> web.StreamResponse:
    """Continue a text."""
    asked = await read(request, CompletionRequest)
    settings = settings_of(request)
    check_stops("stop", asked.stop, settings)
    if not asked.prompt:
        sentence = "Either prompt or prompt_embeds must be provided and non-empty."
        raise wrong_value(sentence, "prompt")
    check_model(asked.model, settings)
    check_sampling(asked, settings)
    wanted = _plan(request, asked)
    for each in wanted:
        check_length(each.prompt_tokens, asked.max_tokens, settings)
    if asked.stream:
        return await _stream(request, asked, wanted)
    said = await gathered(request.app[SIMULATOR].engine, wanted)
    return await whole(request, _body(request, asked, wanted, said))


def _plan(request: web.Request, asked: CompletionRequest) -> list[Generation]:
    """Plan a choice for every prompt, as often as asked; raw text is never parsed."""
    given = asked.prompt if isinstance(asked.prompt, list) else [asked.prompt]
    # A list of numbers is one prompt of tokens.
    prompts = [given] if isinstance(given[0], int) else given
    answer_id = new_id(request, "cmpl-")
    return [
        generation(
            request,
            answer_id,
            text_of(prompt),
            asked.max_tokens,
            temperature=asked.temperature,
            thinks=False,
            dictated=asked.dictated,
            ignore_eos=asked.ignore_eos,
            stop=asked.stops,
            choice=choice,
        )
        for choice, prompt in enumerate(each for each in prompts for _ in range(asked.n or 1))
    ]


def _body(
    request: web.Request,
    asked: CompletionRequest,
    wanted: Sequence[Generation],
    said: Sequence[Sequence[Piece]],
) -> dict[str, Any]:
    choices = [
        {
            "index": each.choice,
            "text": "".join(piece.text for piece in pieces),
            "logprobs": _logprobs(asked, pieces),
            "finish_reason": each.finish_reason,
            "stop_reason": each.stop_reason,
            "token_ids": _ids(asked, pieces),
            "prompt_logprobs": None,
            "prompt_token_ids": _prompt_ids(asked, each),
            "routed_experts": None,
            **newest(request, weight_versions=None),
        }
        for each, pieces in zip(wanted, said, strict=True)
    ]
    nothing = {"prompt_tokens_details": None, "completion_tokens_details": None}
    return {
        **head(request, wanted[0].request_id, "text_completion"),
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": build(request),
        "usage": {**usage(wanted), **nothing},
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }


async def _stream(
    request: web.Request, asked: CompletionRequest, wanted: Sequence[Generation]
) -> web.StreamResponse:
    first = head(request, wanted[0].request_id, "text_completion")

    async def tell(told: Events) -> None:
        async with contextlib.aclosing(told.pieces(wanted)) as pieces:
            async for which, piece in pieces:
                if piece is not None or _tells_cut(request, which):
                    chunk = _chunk(request, asked, which, piece or Piece.cut())
                    await told.send({**first, **chunk})
        if asked.usage.include_usage:
            cost = {"choices": [], "usage": usage(wanted), "system_fingerprint": build(request)}
            await told.send({**first, **cost})
        await told.done()

    return await events.stream(request, tell)


def _tells_cut(request: web.Request, wanted: Generation) -> bool:
    """Tell whether an answer that the engine ended says so; older ones do not if it never ran."""
    if wanted.finish_reason != "abort":
        return False
    return not wanted.cut_while_waiting or settings_of(request).behaviour.ends_waiting_streams


def _chunk(
    request: web.Request, asked: CompletionRequest, wanted: Generation, piece: Piece
) -> dict[str, Any]:
    choice = {
        "index": wanted.choice,
        "text": piece.text,
        "logprobs": _logprobs(asked, [piece]),
        "finish_reason": piece.finish_reason,
        "stop_reason": wanted.stop_reason if piece.finish_reason else None,
        "prompt_token_ids": None,
        "token_ids": _ids(asked, [piece]),
        **newest(request, weight_versions=None),
    }
    ends = piece.finish_reason is not None and not asked.usage.include_usage
    return {
        "choices": [choice],
        **({"system_fingerprint": build(request)} if ends else {}),
        **newest(request, kv_transfer_params=None),
    }


def _logprobs(asked: CompletionRequest, pieces: Sequence[Piece]) -> dict[str, Any] | None:
    if asked.logprobs is None:
        return None
    tokens = [piece.text for piece in pieces]
    starts = [len("".join(tokens[:place])) for place in range(len(tokens))]
    likely = [answers.logprob(token) for token in tokens]
    return {
        "text_offset": starts,
        "token_logprobs": likely,
        "tokens": tokens,
        "top_logprobs": [
            {
                token: value,
                **{f"{token}{place}": value - place for place in range(1, asked.logprobs)},
            }
            for token, value in zip(tokens, likely, strict=True)
        ],
    }


def _ids(asked: CompletionRequest, pieces: Sequence[Piece]) -> list[int] | None:
    if not asked.return_token_ids:
        return None
    return [answers.token_id(piece.text) for piece in pieces]


def _prompt_ids(asked: CompletionRequest, wanted: Generation) -> list[int] | None:
    return answers.token_ids(wanted.prompt) if asked.return_token_ids else None
