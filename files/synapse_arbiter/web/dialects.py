"""The dialects in which errors are written, so that the clients of each API raise them."""

from __future__ import annotations

import orjson

from synapse_arbiter.errors import RefusedError

# Anthropic's names for kinds of errors, by status; any other status is the server's own fault.
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    503: "overloaded_error",
    504: "timeout_error",
}


class OpenAI:
    """Errors stand in an object `error`; clients raise on any event that has it."""

    def body(self, refused: RefusedError) -> bytes:
        """Return the body of an answer that is an error of ours."""
        return refused.body()

    def event(self, refused: RefusedError, number: int) -> bytes:
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

    An error of ours stands there twice: flat, as the API's types have it, and in an object
    `error`, on which alone OpenAI's own client raises.
    """

    def event(self, refused: RefusedError, number: int) -> bytes:
        """Return an error of ours as the last event of a stream, the event of this number."""
        error = orjson.loads(refused.body())["error"]
        flat = {"code": refused.code, "message": refused.message, "param": refused.param}
        event = {"type": "error", "sequence_number": number, **flat, "error": error}
        return _error_event(orjson.dumps(event))


class Anthropic(NamedEvents):
    """Errors have the type `error`; clients raise on events of that name, and on no others."""

    def body(self, refused: RefusedError) -> bytes:
        """Return the body of an answer that is an error of ours."""
        kind = ANTHROPIC_TYPES.get(refused.status, "api_error")
        error = {"type": kind, "message": refused.message, "code": refused.code}
        return orjson.dumps({"type": "error", "error": error})

    def event(self, refused: RefusedError, number: int) -> bytes:
        """Return an error of ours as the last event of a stream."""
        return _error_event(self.body(refused))


OPENAI, RESPONSES, ANTHROPIC = OpenAI(), Responses(), Anthropic()


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
