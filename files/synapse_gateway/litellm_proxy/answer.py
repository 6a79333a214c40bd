"""From LiteLLM's answer to the one that leaves: checked for completeness, stripped of internals."""

from __future__ import annotations

import base64
import struct
from typing import Any

import orjson

from synapse_common.refusals import Refusal
from synapse_common.sse import EventReader
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.fallback_reasons import SILENT, reason_of

INVENTED = "native_finish_reason"
"""LiteLLM calls every unknown reason "stop" and leaves the engine's own word under this name."""
CUT_SHORT = {"abort", "error"}
DONE = b"[DONE]"


class Stream:
    """The events of one streamed answer: what the client may see of each, and how it ended."""

    def __init__(self, record: RequestRecord, usage_wanted: bool, needs_reason: bool) -> None:
        """Begin before the first event."""
        self._exchange = record
        self._usage_wanted = usage_wanted
        self._needs_reason = needs_reason
        self._events = EventReader()
        self._finished = False
        self._failed = False

    def feed(self, data: bytes) -> bytes:
        """Return what the client gets for these bytes; nothing follows an error event."""
        return b"".join(map(self._event, self._events.feed(data)))

    def end(self) -> bytes:
        """Return the event that closes the stream if it is incomplete, else nothing."""
        if self._failed or self._finished or not self._needs_reason:
            return b""
        return self.fail(errors.interrupted(_name(self._exchange)))

    def fail(self, refusal: Refusal) -> bytes:
        """End the stream with an error event."""
        self._failed = True
        self._exchange.status = refusal.status
        self._exchange.error = refusal.code
        return refusal.event()

    def _event(self, event: bytes) -> bytes:
        if self._failed:
            return b""
        if not event.startswith(b"data: "):
            return event + b"\n\n"  # a keep-alive comment
        payload = event.removeprefix(b"data: ")
        if payload == DONE:
            return self.end() or event + b"\n\n"
        chunk = orjson.loads(payload)
        if chunk.get("error"):
            return self.fail(stream_refusal(chunk["error"], self._exchange))
        return self._chunk(chunk)

    def _chunk(self, chunk: dict[str, Any]) -> bytes:
        choices = chunk.get("choices") or []
        if any(map(_is_token, choices)):
            self._exchange.note_token()
        usage = chunk.pop("usage", None)
        if self._finished and usage is None and not any(map(_says_something, choices)):
            return b""  # LiteLLM's own echo of the end; OpenAI's clients expect none
        if any(choice.get("finish_reason") for choice in choices):
            self._finished = True
        if usage is not None:
            self._exchange.note_usage(usage)
            if not any(map(_says_something, choices)):
                # OpenAI's event with the counts has no choices, and only who asks gets it.
                if not self._usage_wanted:
                    return b""
                chunk["choices"] = []
            if self._usage_wanted:
                chunk["usage"] = usage
        return b"data: " + orjson.dumps(strip(chunk)) + b"\n\n"


def _says_something(choice: dict[str, Any]) -> bool:
    return any(choice.get(part) for part in ("delta", "text", "finish_reason"))


def _is_token(choice: dict[str, Any]) -> bool:
    """Say whether something is told; a stream opens with who speaks, before anybody does."""
    delta = choice.get("delta") or {}
    return bool(choice.get("text")) or any(delta[part] for part in delta if part != "role")


def strip(answer: dict[str, Any]) -> dict[str, Any]:
    """Remove LiteLLM's additions from an answer."""
    for choice in answer.get("choices") or []:
        choice.pop("provider_specific_fields", None)
        for message in (choice.get("message"), choice.get("delta")):
            if isinstance(message, dict):
                message.pop("provider_specific_fields", None)
    return answer


def whole(body: bytes, record: RequestRecord, as_base64: bool = False) -> bytes:
    """Return a JSON answer as the client gets it; refuse one that was cut short."""
    answer = orjson.loads(body)
    if not isinstance(answer, dict):
        return body
    record.note_usage(answer.get("usage"))
    for choice in answer.get("choices") or []:
        native = (choice.get("provider_specific_fields") or {}).get(INVENTED)
        if native in CUT_SHORT:
            raise errors.interrupted(_name(record))
    if as_base64:
        for item in answer.get("data") or []:
            item["embedding"] = _base64(item["embedding"])
    return orjson.dumps(strip(answer))


def _base64(embedding: list[float]) -> str:
    """Write a vector as OpenAI does on request: 32-bit numbers, the lowest byte first."""
    return base64.b64encode(struct.pack(f"<{len(embedding)}f", *embedding)).decode()


def refusal_of(status: int, body: bytes, retry_after: str | None, record: RequestRecord) -> Refusal:
    """Translate LiteLLM's refusal of a request into one that names nothing internal."""
    try:
        message = str(orjson.loads(body)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        message = ""
    return _translate(status, message, retry_after, record)


def stream_refusal(error: Any, record: RequestRecord) -> Refusal:
    """Translate LiteLLM's error inside a stream."""
    detail = error if isinstance(error, dict) else {}
    code = str(detail.get("code"))
    if record.first_token_s is not None:
        record.reason = record.reason or reason_of(500, str(detail.get("message")))
        return errors.interrupted(_name(record))
    status = int(code) if code.isdecimal() else 500
    return _translate(status, str(detail.get("message")), None, record)


def _translate(
    status: int, message: str, retry_after: str | None, record: RequestRecord
) -> Refusal:
    """Choose the refusal: (1) the request's own fault, (2) a time-out, (3) nobody can answer."""
    name, reason = _name(record), reason_of(status, message)
    record.reason = record.reason or reason
    if reason == "context":  # (1)
        text = f"The request is longer than the context of the model '{name}'."
        return Refusal(400, "context_length_exceeded", text)
    if reason == "refused":
        # The engine's own words can hold addresses, and pieces of the prompt for the log.
        text = f"The model '{name}' refused the request as invalid: check its parameters."
        return Refusal(400, "invalid_request", text)
    if reason in SILENT:  # (2)
        return errors.timed_out(name)
    wait_s = int(retry_after) if retry_after and retry_after.isdecimal() else None
    return errors.unavailable(name, wait_s or errors.UNAVAILABLE_RETRY_S)  # (3)


def _name(record: RequestRecord) -> str:
    return record.asked or "unknown"
