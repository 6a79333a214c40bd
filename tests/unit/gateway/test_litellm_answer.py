"""What leaves: whole answers and streams, honest about their ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.litellm_proxy.answer import Stream, refusal_of, whole


def event(**chunk: Any) -> bytes:
    """Return one event as LiteLLM writes it."""
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


WORD = event(choices=[{"index": 0, "delta": {"content": "hi"}}])
END = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = event(
    choices=[{"index": 0, "delta": {}}], usage={"prompt_tokens": 7, "completion_tokens": 4}
)
DONE = b"data: [DONE]\n\n"


def record() -> RequestRecord:
    """Return a request for `gpu`."""
    return RequestRecord("POST", "/v1/chat/completions", asked="gpu")


def test_events_split_anywhere_come_out_the_same() -> None:
    whole_stream = WORD + b": ping\n\n" + WORD + END + DONE
    for cut in range(len(whole_stream)):
        stream = Stream(record(), usage_wanted=False, needs_reason=True)
        out = stream.feed(whole_stream[:cut]) + stream.feed(whole_stream[cut:]) + stream.end()
        assert out.count(b"\n\n") == 5
        assert b"error" not in out


def test_an_empty_event_after_the_end_is_left_out() -> None:
    echo = event(choices=[{"index": 0, "delta": {}}])
    stream = Stream(record(), usage_wanted=True, needs_reason=True)
    assert stream.feed(WORD + END + echo + USAGE + DONE).count(b"data:") == 4


def test_a_stream_without_finish_reason_ends_in_an_error() -> None:
    asked = record()
    stream = Stream(asked, usage_wanted=False, needs_reason=True)
    out = stream.feed(WORD + DONE) + stream.end()
    assert out.count(b"answer_interrupted") == 1
    assert b"[DONE]" not in out
    assert (asked.status, asked.error) == (502, "answer_interrupted")


def test_nothing_follows_an_error_and_nothing_of_its_text_leaves() -> None:
    secret = event(error={"message": "Cannot connect to host 10.0.0.7:8080", "code": "500"})
    stream = Stream(record(), usage_wanted=False, needs_reason=True)
    out = stream.feed(WORD + secret + WORD + DONE) + stream.end()
    assert out.endswith(b"\n\n")
    assert b"10.0.0.7" not in out
    assert out.count(b"data:") == 2


@pytest.mark.parametrize(("wanted", "events"), [(True, 4), (False, 3)])
def test_usage_is_noted_and_shown_to_who_asked(wanted: bool, events: int) -> None:
    asked = record()
    stream = Stream(asked, usage_wanted=wanted, needs_reason=True)
    out = stream.feed(WORD + END + USAGE + DONE)
    assert out.count(b"data:") == events
    assert (asked.tokens_in, asked.tokens_out) == (7, 4)


def test_an_aborted_answer_is_no_answer() -> None:
    choice = {"message": {}, "provider_specific_fields": {"native_finish_reason": "abort"}}
    with pytest.raises(Refusal) as refused:
        whole(json.dumps({"choices": [choice]}).encode(), record())
    assert refused.value.status == 502


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "maximum context length is 4096 tokens", (400, "context_length_exceeded")),
        (400, "temperature must be positive at http://10.0.0.1", (400, "invalid_request")),
        (408, "", (504, "model_timeout")),
        (500, "Timeout on reading data from socket", (504, "model_timeout")),
        (500, "Cannot connect to host 10.0.0.1", (503, "model_unavailable")),
        (401, "bad provider key sk-123", (503, "model_unavailable")),
        (429, "", (503, "model_unavailable")),
    ],
)
def test_refusals_are_translated(status: int, message: str, expected: tuple[int, str]) -> None:
    body = json.dumps({"error": {"message": message}}).encode()
    refusal = refusal_of(status, body, None, record())
    assert (refusal.status, refusal.code) == expected
    assert "10.0.0.1" not in refusal.message
    assert "sk-123" not in refusal.message


def test_the_backends_retry_after_is_passed_on() -> None:
    assert refusal_of(503, b"no json", "17", record()).headers["retry-after"] == "17"


def test_who_speaks_is_no_token_yet() -> None:
    asked = record()
    stream = Stream(asked, usage_wanted=False, needs_reason=True)
    role = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}])
    assert stream.feed(role) != b""
    assert asked.first_token_s is None
    stream.feed(WORD)
    assert asked.first_token_s is not None


@pytest.mark.parametrize(
    ("code", "expected"),
    [("engine_silent", "model_timeout"), ("gpu_released", "model_unavailable")],
)
def test_the_arbiters_code_is_the_reason(code: str, expected: str) -> None:
    asked = record()
    text = json.dumps({"error": {"message": "words", "code": code}})
    body = json.dumps({"error": {"message": f"litellm.X: Hosted_vllmException - {text}"}}).encode()
    assert refusal_of(500, body, None, asked).code == expected
    assert asked.reason == code
