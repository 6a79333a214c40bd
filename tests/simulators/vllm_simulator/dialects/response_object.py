"""The response object, which the first and the last event of a stream hold too."""

import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from vllm_simulator.checking import ResponseRequest
from vllm_simulator.dialects.common import newest, settings_of
from vllm_simulator.generation import Generation


class Response:
    """A response that begins, and ends."""

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
            *("reasoning", "top_logprobs", "user", "kv_transfer_params"),
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
            "tool_choice": asked.tool_choice if asked.tools else "none",
            "tools": [_tool(tool) for tool in asked.tools],
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "background": False,
            "max_output_tokens": self._limit,
            "service_tier": "auto",
            "truncation": "disabled",
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            **dict.fromkeys(nothing),
            "text": _form(asked.text),
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


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Repeat a tool with the fields that a client may leave out."""
    if tool.get("type") != "function":
        return tool
    names = ("strict", "allowed_callers", "async", "defer_loading", "description", "output_schema")
    return {**dict.fromkeys(names), **tool}


def _form(text: dict[str, Any] | None) -> dict[str, Any] | None:
    """Repeat the form of the answer with the fields that a client may leave out."""
    if not text:
        return None
    form = text.get("format") or {}
    if form.get("type") == "json_schema":
        form = {"description": None, "strict": None, **form}
    return {"verbosity": None, **text, "format": form or None}
