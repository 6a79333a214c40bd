"""Errors of ours, as the real clients of each API meet them."""

import json
from typing import Any

import httpx2
import openai
import pytest

from harness.vllm_answers import CREATED, DELTA, ROLE, WORD
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.response import refusal
from synapse_common.answers.dialects import ANTHROPIC, OPENAI, RESPONSES

MESSAGES = [{"role": "user", "content": "hi"}]


def client(payload: bytes, status: int = 200, kind: str = "text/event-stream") -> Any:
    """Return OpenAI's client before a server that always answers so."""

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=payload, headers={"content-type": kind})

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://arbiter/v1", http_client=http, max_retries=0)


def told(event: bytes) -> tuple[str | None, Any]:
    """Return the name and the content of one event."""
    *name, data = event.removesuffix(b"\n\n").split(b"\n")
    return (name[0].decode() if name else None), json.loads(data.removeprefix(b"data: "))


TRUNCATED = RefusedError("answer_truncated", "The engine ended the answer early.", 1.0)


@pytest.mark.parametrize("create", ["chat", "completions"])
def test_openais_client_raises_on_the_event_that_ends_a_stream(create: str) -> None:
    asked = client(ROLE + WORD + OPENAI.event(TRUNCATED, 0))
    question: dict[str, Any] = {"model": "a", "stream": True}
    if create == "chat":
        stream = asked.chat.completions.create(messages=MESSAGES, **question)
    else:
        stream = asked.completions.create(prompt="hi", **question)
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert raised.value.code == "answer_truncated"


def test_openais_client_raises_on_the_event_that_ends_a_response() -> None:
    asked = client(CREATED + DELTA + RESPONSES.event(TRUNCATED, 3))
    events = iter(asked.responses.create(model="a", input="hi", stream=True))
    kinds = [next(events).type for _ in range(3)]
    assert kinds == ["response.created", "response.output_text.delta", "response.failed"]
    with pytest.raises(openai.APIError) as raised:
        next(events)
    assert raised.value.code == "answer_truncated"


def test_the_events_that_end_a_response_are_of_the_apis_own_types_too() -> None:
    first, second, rest = RESPONSES.event(TRUNCATED, 3).split(b"\n\n")
    name, event = told(first + b"\n\n")
    failed = openai.types.responses.ResponseFailedEvent.model_validate(event)
    assert (name, failed.sequence_number) == ("event: response.failed", 3)
    assert failed.response.status == "failed"
    assert failed.response.error is not None
    assert failed.response.error.message == TRUNCATED.message
    name, event = told(second + b"\n\n")
    typed = openai.types.responses.ResponseErrorEvent.model_validate(event)
    assert (name, rest) == ("event: error", b"")
    assert (typed.type, typed.code, typed.sequence_number) == ("error", "answer_truncated", 4)
    assert typed.message == event["error"]["message"]


def test_openais_client_raises_on_the_engines_own_error_in_a_stream_of_ours() -> None:
    for payload in (b'{"error":{"message":"too long","code":400}}', b'{"detail":"Not Found"}'):
        for dialect in (OPENAI, RESPONSES):
            asked = client(b": waiting\n\n" + dialect.engine_error(payload))
            with pytest.raises(openai.APIError, match=r"too long|Not Found"):
                list(asked.chat.completions.create(model="a", messages=MESSAGES, stream=True))


def test_an_error_of_the_engine_that_has_its_shape_is_not_changed() -> None:
    payload = b'{"type": "error",  "error": {"type": "not_found_error"}}'
    assert OPENAI.engine_error(payload) == b"data: " + payload + b"\n\n"
    assert ANTHROPIC.engine_error(payload) == b"event: error\ndata: " + payload + b"\n\n"
    assert told(ANTHROPIC.engine_error(b"Internal Server Error"))[1]["error"] == {
        "type": "api_error",
        "message": "Internal Server Error",
    }


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("invalid_request", 400, "invalid_request_error"),
        ("model_not_found", 404, "not_found_error"),
        ("method_not_allowed", 405, "invalid_request_error"),
        ("body_too_large", 413, "request_too_large"),
        ("engine_aborted", 502, "api_error"),
        ("wait_exceeds_budget", 503, "overloaded_error"),
        ("engine_silent", 504, "timeout_error"),
    ],
)
def test_anthropics_errors_have_its_shape_and_its_names(code: str, status: int, kind: str) -> None:
    refused = RefusedError(code, "Why.", 2.0)
    expected = {"type": "error", "error": {"type": kind, "message": "Why.", "code": code}}
    # Its client raises on events named `error`, and passes over those without a name.
    assert told(ANTHROPIC.event(refused, 0)) == ("event: error", expected)
    whole = refusal(refused, "/v1/messages")
    assert (whole.status, json.loads(whole.body or b"")) == (status, expected)  # type: ignore[arg-type]
    assert whole.headers["retry-after"] == "2"


def test_every_other_path_has_openais_errors() -> None:
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/nowhere"):
        whole = refusal(RefusedError("engine_down", "Why.", 2.0), path)
        asked = client(bytes(whole.body or b""), whole.status, "application/json")  # type: ignore[arg-type]
        with pytest.raises(openai.InternalServerError) as raised:
            asked.models.list()
        assert (raised.value.status_code, raised.value.code) == (503, "engine_down")
