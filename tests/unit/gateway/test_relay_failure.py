"""Whose fault an engine's error is, in every engine's shape; nothing internal leaves."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayed import config, model
from synapse_common.protocol import ARBITER_FAILURES, ARBITER_STATUS
from synapse_gateway.relay.failure import EngineError, Failure, of_exception

MODELS = config(
    model("gpu", "vllm", via_arbiter=True, context=10),
    model("cpu", "ollama"),
    model("sound", "speaches", kind="transcription"),
    model("cloud", "openai", via_litellm=True),
    model("voice", "openai", kind="speech"),
).models
OPENAI: Any = {"message": "'n' must be 1", "type": "BadRequestError", "param": "n", "code": 400}
# Ollama since 0.30 passes on what its llama-server says, as a text.
FULL: Any = {
    "code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 2622, "n_ctx": 512,
    "message": "request (2622 tokens) exceeds the available context size (512 tokens), "
    "try increasing it",
}  # fmt: skip
GROUP = ". Received Model Group=cloud\nAvailable Model Group Fallbacks=None"


def failed(name: str, status: int, told: Any) -> Failure:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return EngineError.told(status, body).failure(MODELS[name], "asked")


@pytest.mark.parametrize(
    ("name", "status", "told", "param"),
    [
        ("gpu", 400, {"error": OPENAI}, "n"),
        ("gpu", 400, {"object": "error", "message": "x", "error": {**OPENAI, "code": "400"}}, "n"),
        ("gpu", 200, {"error": OPENAI}, "n"),
        ("gpu", 422, {"error": {**OPENAI, "code": 422}}, "n"),
        ("gpu", 400, {"type": "error", "error": {"type": "x", "message": "'n' must be 1"}}, None),
        ("cpu", 400, {"error": "'n' must be 1"}, None),
        ("cpu", 400, {"error": json.dumps({"error": {**OPENAI, "param": None}})}, None),
        ("sound", 415, {"detail": "'n' must be 1"}, None),
        ("sound", 422, {"detail": [{"loc": ["body", "n"], "msg": "'n' must be 1"}]}, "n"),
        (
            "cloud", 400,
            {"error": {
                "message": f"litellm.BadRequestError: OpenAIException - 'n' must be 1{GROUP}",
                "type": None, "param": None, "code": "400",
            }}, None,
        ),
        (
            "cloud", 400,
            {"error": {"message": "BadRequestError: 'n' must be 1", "code": "400"}}, None,
        ),
    ],
    ids=[
        "vllm", "vllm-text-code", "in-a-stream", "422", "anthropic", "ollama", "llama-server",
        "fastapi",
        "fastapi-fields", "litellm", "litellm-short",
    ],
)  # fmt: skip
def test_a_clients_mistake_is_a_400_with_the_engines_reason(
    name: str, status: int, told: Any, param: str | None
) -> None:
    found = failed(name, status, told)
    assert found.is_final
    assert (found.refusal.status, found.refusal.code) == (400, "invalid_request")
    assert (found.refusal.message, found.refusal.param) == ("'n' must be 1", param)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"[]", b'"x"', b"null", b"{}", b'{"error": null}', b'{"error": 5}',
             b'{"error": {}}', b'{"error": {"message": null}}', b'{"detail": {"a": 1}}', b"\xff"]
)  # fmt: skip
def test_a_refusal_without_words_says_so(name: str, body: bytes) -> None:
    found = failed(name, 400, body)
    assert found.is_final
    assert found.refusal.message == "The model 'asked' refused the request as invalid."


@pytest.mark.parametrize(
    ("name", "status", "told", "reason"),
    [
        ("gpu", 500, {"error": {"message": "EngineCore died", "code": 500}}, "failed"),
        ("gpu", 404, {"detail": "Not Found"}, "missing"),
        ("cpu", 404, {"error": "model 'x' not found"}, "missing"),
        ("cpu", 503, {"error": "server busy, please try again"}, "busy"),
        ("cloud", 401, {"error": {"message": "Incorrect API key: sk-1", "code": "401"}},
         "credentials"),
        ("cloud", 403, {}, "credentials"),
        ("cloud", 429, {"error": {"message": "quota", "code": "insufficient_quota"}}, "busy"),
        ("cloud", 302, b"", "failed"),
        ("cpu", 502, b"<html>Bad Gateway</html>", "failed"),
        ("gpu", 200, {"type": "error", "error": {"type": "overloaded_error"}}, "failed"),
    ],
)  # fmt: skip
def test_an_engines_trouble_is_a_503_that_tells_nothing_of_it(
    name: str, status: int, told: Any, reason: str
) -> None:
    found = failed(name, status, told)
    assert (found.reason, found.is_final) == (reason, False)
    assert (found.refusal.status, found.refusal.code) == (503, "model_unavailable")
    assert found.refusal.message == "The model 'asked' and its fallbacks cannot answer right now."
    assert int(found.refusal.headers["retry-after"]) >= 1


@pytest.mark.parametrize("code", sorted(ARBITER_FAILURES))
def test_the_arbiters_failures_have_names_of_their_own(code: str) -> None:
    told = {"error": {"message": "x", "type": "server_error", "param": None, "code": code}}
    found = failed("gpu", ARBITER_STATUS[code], told)
    assert (found.reason, found.is_final) == (code, False)
    assert found.refusal.status == (504 if code == "engine_silent" else 503)


def test_the_numbers_of_ollamas_llama_server_are_told() -> None:
    found = failed("cpu", 400, {"error": json.dumps({"error": FULL})})
    assert (found.reason, found.refusal.code) == ("context", "context_length_exceeded")
    assert "request (2622 tokens) exceeds the available context size (512 tokens)" in (
        found.refusal.message
    )
    assert "{" not in found.refusal.message
    coded = failed("cpu", 400, {"error": json.dumps({"error": {**FULL, "message": "too much"}})})
    assert coded.reason == "context", "by its type, whatever the words"


@pytest.mark.parametrize("text", ["{", '{"error": 5}', '{"error": "{}"}', "[1]", '{"a": 1}'])
def test_words_that_look_like_json_are_words(text: str) -> None:
    assert failed("cpu", 400, {"error": text}).refusal.message == text


@pytest.mark.parametrize("status", [408, 504])
def test_silence_is_a_504(status: int) -> None:
    found = failed("cloud", status, {})
    assert (found.reason, found.refusal.status) == ("timeout", 504)


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("gpu", 400, {"error": {**OPENAI, "message": "maximum context length is 10 tokens"}}),
        ("gpu", 400, {"error": {"message": "too long", "code": "context_length_exceeded"}}),
        ("cpu", 400, {"error": "the input length exceeds the context length"}),
        ("cpu", 500, {"error": "the input length exceeds the context length"}),
        ("cpu", 400, {"error": {"code": 400, "message": "the request exceeds the available context"
                                " size", "type": "exceed_context_size_error"}}),
        ("cloud", 400, {"error": {"message": "litellm.ContextWindowExceededError: too long",
                                  "code": "400"}}),
        ("cloud", 413, {"error": {"message": "context_length_exceeded"}}),
    ],
)  # fmt: skip
def test_too_long_is_told_in_words_that_clients_know(name: str, status: int, told: Any) -> None:
    found = failed(name, status, told)
    assert (found.reason, found.is_final) == ("context", False), "another may have more room"
    refusal = found.refusal
    assert (refusal.status, refusal.code) == (400, "context_length_exceeded")
    assert "maximum context length" in refusal.message
    assert ("of 10 tokens" in refusal.message) == (name == "gpu")
    assert "itellm" not in refusal.message


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "inside",
    [
        "http://10.42.0.7:8000/v1/chat", "redis://cache", "connect to 10.42.0.7 failed",
        "key sk-proj-123456 is wrong", "at [fd00::7]:8000", "lookup ollama.synapse.svc: no host",
        "dial tcp: lookup vllm-gpu.synapse.svc.cluster.local",
    ],
)  # fmt: skip
def test_addresses_and_keys_stay_inside(name: str, inside: str) -> None:
    for told in ({"error": {"message": inside}}, {"error": inside}, {"detail": inside}):
        found = failed(name, 400, told)
        assert found.refusal.message == "The model 'asked' refused the request as invalid."
        assert "10.42" not in str(failed(name, 500, told).refusal.message)


def test_of_a_provider_that_is_asked_directly_no_word_is_passed_on() -> None:
    assert "secret" not in failed("voice", 400, {"error": {"message": "secret"}}).refusal.message


def test_an_engines_words_have_a_length() -> None:
    assert len(failed("gpu", 400, {"error": "x" * 10**6}).refusal.message) <= 1000


def test_the_wait_is_the_engines() -> None:
    error = EngineError(503, "", wait_s=17)
    assert error.failure(MODELS["gpu"], "asked").refusal.headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        (aiohttp.SocketTimeoutError(), "timeout", 504),
        (aiohttp.ConnectionTimeoutError(), "unreachable", 503),
        (aiohttp.ServerDisconnectedError(), "unreachable", 503),
        (aiohttp.ClientPayloadError("at 10.42.0.7"), "unreachable", 503),
        (ConnectionResetError("10.42.0.7"), "unreachable", 503),
        (TimeoutError(), "unreachable", 503),
    ],
)
def test_no_answer_at_all(error: Exception, reason: str, status: int) -> None:
    found = of_exception(error, "asked")
    assert (found.reason, found.refusal.status, found.is_final) == (reason, status, False)
    assert "10.42" not in found.refusal.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "param", "type", "detail", "msg", "loc"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(sorted(MODELS)), st.integers(100, 599), JSON)
def test_any_error_is_the_clients_mistake_or_a_trouble(name: str, status: int, told: Any) -> None:
    refusal = failed(name, status, told).refusal
    assert refusal.status in (400, 503, 504)
    assert refusal.message
    assert refusal.param is None or isinstance(refusal.param, str)
