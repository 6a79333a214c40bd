"""The dialects in which errors are written, so that the clients of each API raise them."""

from __future__ import annotations

import orjson

from synapse_common.refusals import Refusal

# Anthropic's names for kinds of errors, by status; any other status is the server's own fault.
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}

EMPTY_RESPONSE = {
    "id": "", "object": "response", "created_at": 0, "model": "", "output": [], "tools": [],
    "tool_choice": "auto", "parallel_tool_calls": True,
}  # fmt: skip
"""What clients read in every response."""


class OpenAI:
    """Errors stand in an object `error`; clients raise on any event that has it."""

    def body(self, refused: Refusal) -> bytes:
        """Return the body of an answer that is an error of ours."""
        return refused.body()

    def event(self, refused: Refusal, number: int) -> bytes:
        """Return an error of ours as the last event of a stream, the event of this number."""
        return refused.event()

    def engine_error(self, payload: bytes) -> bytes:
        """Return the body of the engine's own error as an event."""
        return b"data: " + _with_error(payload) + b"\n\n"


class NamedEvents(OpenAI):
    """Events have names, and an error's is `error`."""

    def engine_error(self, payload: bytes) -> bytes:
        """Return the body of the engine's own error as an event."""
        return _error_event(_with_error(payload))


class Responses(NamedEvents):
    """OpenAI's later API: events have names, types and numbers.

    An error of ours ends a stream twice: as a response that failed, which is all that Codex heeds,
    and as an error, on which alone OpenAI's own client raises. That one stands flat, as the API's
    types have it, and in an object `error`, where the client looks.
    """

    def event(self, refused: Refusal, number: int) -> bytes:
        """Return an error of ours as the last events of a stream, the first of this number."""
        error = orjson.loads(self.body(refused))["error"]
        told = {"code": refused.code, "message": refused.message}
        known = {"code": "server_error", "message": refused.message}  # of a fixed list
        failed = {"type": "response.failed", "sequence_number": number}
        failed["response"] = {**EMPTY_RESPONSE, "status": "failed", "error": known}
        flat = {**told, "param": refused.param}
        event = {"type": "error", "sequence_number": number + 1, **flat, "error": error}
        named = b"event: response.failed\ndata: " + orjson.dumps(failed) + b"\n\n"
        return named + _error_event(orjson.dumps(event))


class Anthropic(NamedEvents):
    """Errors have the type `error`; clients raise on events of that name, and on no others."""

    def body(self, refused: Refusal) -> bytes:
        """Return the body of an answer that is an error of ours."""
        kind = ANTHROPIC_TYPES.get(refused.status, "api_error")
        error = {"type": kind, "message": refused.message, "code": refused.code}
        return orjson.dumps({"type": "error", "error": error})

    def event(self, refused: Refusal, number: int) -> bytes:
        """Return an error of ours as the last event of a stream."""
        return _error_event(self.body(refused))


class Ollama(OpenAI):
    """Errors are a text `error`; in a stream they are its last line."""

    def body(self, refused: Refusal) -> bytes:
        """Return the body of an answer that is an error of ours."""
        return orjson.dumps({"error": refused.message})

    def event(self, refused: Refusal, number: int) -> bytes:
        """Return an error of ours as the last line of a stream."""
        return self.body(refused) + b"\n"


OPENAI, RESPONSES, ANTHROPIC, OLLAMA = OpenAI(), Responses(), Anthropic(), Ollama()


def _error_event(payload: bytes) -> bytes:
    return b"event: error\ndata: " + payload + b"\n\n"


def _with_error(payload: bytes) -> bytes:
    """Return a body with an object `error` in it: vLLM's `{"detail": "Not Found"}` has none."""
    try:
        told = orjson.loads(payload)
    except orjson.JSONDecodeError:
        told = None
    if isinstance(told, dict) and told.get("error"):
        return payload
    text = payload.decode("utf-8", "replace")
    return orjson.dumps({"type": "error", "error": {"type": "api_error", "message": text}})
