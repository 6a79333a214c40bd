"""/v1/responses: OpenAI's Responses, in one answer or as a stream."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from vllm_simulator.answering import gathered
from vllm_simulator.checking import ResponseRequest, check_length, check_model, read
from vllm_simulator.dialects import response_stream
from vllm_simulator.dialects.common import (
    generation,
    new_id,
    newest,
    settings_of,
    text_of,
    whole,
)
from vllm_simulator.dialects.response_items import items
from vllm_simulator.generation import Generation
from vllm_simulator.hosting import SIMULATOR
from vllm_simulator.http_errors import RefusedError, refusal

_KIND = "invalid_request_error"
_NO_STORE = (
    "This vLLM engine does not support `store=True` and therefore does not support the background "
    "mode. To enable these features, set the environment variable "
    "`VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server."
)


def add_routes(app: web.Application) -> None:
    """Add the route, and the one that finds no stored response."""
    app.router.add_post("/v1/responses", respond)
    app.router.add_get("/v1/responses/{response_id}", stored, allow_head=False)


async def respond(request: web.Request) -> web.StreamResponse:
    """Answer an input."""
    asked = await read(request, ResponseRequest)
    settings = settings_of(request)
    check_model(asked.model, settings)
    if asked.background:
        raise refusal(_NO_STORE, "background", kind=_KIND)
    if asked.previous_response_id:
        raise _not_found(asked.previous_response_id)
    answer_id = new_id(request, "resp_")
    limit, thinks = asked.max_output_tokens, asked.thinks
    wanted = generation(
        request,
        answer_id,
        text_of(asked.input),
        limit,
        temperature=asked.temperature,
        thinks=thinks,
    )
    check_length(wanted.prompt_tokens, limit, settings)
    made = Response(request, asked, wanted)
    if asked.stream:
        return await response_stream.stream(request, made, wanted)
    (said,) = await gathered(request.app[SIMULATOR].engine, [wanted])
    return await whole(request, made.ended(items(said, status=None)))


async def stored(request: web.Request) -> web.StreamResponse:
    """Find nothing: nothing is stored."""
    raise _not_found(request.match_info["response_id"])


def _not_found(response_id: str) -> RefusedError:
    sentence = f"Response with id '{response_id}' not found."
    return refusal(sentence, "response_id", status=HTTPStatus.NOT_FOUND, kind=_KIND)


class Response:
    """The response object, which the first and the last event of a stream hold too."""

    def __init__(self, request: web.Request, asked: ResponseRequest, wanted: Generation) -> None:
        """Begin it."""
        self._request, self._asked, self._wanted = request, asked, wanted
        self._limit = asked.max_output_tokens or settings_of(request).max_model_len
        self._created = int(time.time())

    @property
    def complete(self) -> bool:
        """Tell whether it says that it is complete: also when the engine cut it, as in vLLM."""
        return self._wanted.finish_reason != "length"

    def begun(self) -> dict[str, Any]:
        """Build it without an answer."""
        return self._object([], "in_progress", None, None)

    def ended(self, output: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Build it with its answer."""
        details = None if self.complete else {"reason": "max_output_tokens"}
        status = "completed" if self.complete else "incomplete"
        return self._object(output, status, details, self._usage())

    def _object(
        self,
        output: Sequence[dict[str, Any]],
        status: str,
        details: dict[str, str] | None,
        usage: dict[str, Any] | None,
    ) -> dict[str, Any]:
        asked = self._asked
        nothing = (
            *("instructions", "metadata", "max_tool_calls", "previous_response_id", "prompt"),
            *("reasoning", "text", "top_logprobs", "user", "kv_transfer_params"),
            *("ec_transfer_params", "input_messages", "output_messages"),
        )
        caching = ("prompt_cache_options", "prompt_cache_key", "prompt_cache_retention")
        return {
            "id": self._wanted.request_id,
            "created_at": self._created,
            "model": settings_of(self._request).model,
            "object": "response",
            "output": list(output),
            "status": status,
            "incomplete_details": details,
            "usage": usage,
            "parallel_tool_calls": True,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "tool_choice": "auto" if asked.tools else "none",
            "tools": asked.tools,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "background": False,
            "max_output_tokens": self._limit,
            "service_tier": "auto",
            "truncation": "disabled",
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            **dict.fromkeys(nothing),
            **newest(self._request, safety_identifier=None, **dict.fromkeys(caching)),
        }

    def _usage(self) -> dict[str, Any]:
        read_tokens, wrote = self._wanted.prompt_tokens, self._wanted.completion_tokens
        cached = {"cached_tokens": 0, **newest(self._request, cache_write_tokens=0)}
        return {
            "input_tokens": read_tokens,
            "input_tokens_details": {
                **cached,
                "input_tokens_per_turn": [],
                "cached_tokens_per_turn": [],
            },
            "output_tokens": wrote,
            "output_tokens_details": {
                "reasoning_tokens": self._wanted.reasoning_tokens,
                "tool_output_tokens": 0,
                "output_tokens_per_turn": [],
                "tool_output_tokens_per_turn": [],
            },
            "total_tokens": read_tokens + wrote,
        }
