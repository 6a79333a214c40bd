"""What a name adds reaches the engine, whichever client asks and in whichever dialect."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from client_workers import Worker
from openai_stub import Behaviour, OpenAIStub

from .conftest import ADDED, SAID_BY_CPU, SYSTEM

Body = dict[str, Any]

HI = {"role": "user", "content": "hi"}
OWN = "Be kind."
BOTH = f"{SYSTEM}\n\n{OWN}"
IGNORED = "x-synapse-ignored"
THINKS = {"enable_thinking": True}
EFFORT = {"chat_template_kwargs": THINKS, "reasoning_effort": "low"}


def system(text: str) -> Body:
    return {"role": "system", "content": text}


def received(cpu: OpenAIStub, *wanted: str) -> Body:
    """Return these fields of the last body that the engine got."""
    body = cpu.received[-1].body
    return {name: body.get(name) for name in wanted}


# The call of each client's package, what it says of everything itself, and what vLLM then gets of
# a name that adds nothing but where the client is silent, or always. Each first for a client that
# says nothing.
OPENAIS = {"temperature": 0.9, "max_tokens": 500, "reasoning_effort": "high"}
RESPONSES = {
    "temperature": 0.9, "max_output_tokens": 500, "reasoning": {"effort": "high"},
    "instructions": OWN,
}  # fmt: skip
# The newest package names no temperature; older ones and others do.
MESSAGES = {
    "extra_body": {"temperature": 0.9}, "max_tokens": 500, "system": OWN,
    "thinking": {"type": "disabled"},
}  # fmt: skip
OLLAMAS = {"options": {"temperature": 0.9, "num_predict": 500}, "think": "high"}
CALLS: list[tuple[str, Body, Body, Body, Body]] = [
    (
        "openai_sdk.chat", OPENAIS,
        {"temperature": 0.2, "max_tokens": 99, "messages": [system(SYSTEM), HI], **EFFORT},
        {**OPENAIS, "chat_template_kwargs": None, "messages": [system(SYSTEM), HI]},
        {"temperature": 0.2, "max_tokens": 99, **EFFORT},
    ),
    (
        "openai_sdk.respond", RESPONSES,
        {"temperature": 0.2, "max_output_tokens": 99, "instructions": SYSTEM,
         "chat_template_kwargs": THINKS, "reasoning": {"effort": "low"}},
        {**RESPONSES, "chat_template_kwargs": None},
        {"temperature": 0.2, "max_output_tokens": 99, "instructions": BOTH,
         "chat_template_kwargs": THINKS, "reasoning": {"effort": "low"}},
    ),
    (
        "anthropic_sdk.message", MESSAGES,
        {"temperature": 0.2, "system": SYSTEM, "chat_template_kwargs": THINKS,
         "output_config": {"effort": "low"}},
        {"temperature": 0.9, "max_tokens": 500, "system": OWN, "thinking": {"type": "disabled"},
         "chat_template_kwargs": None, "output_config": None},
        {"temperature": 0.2, "max_tokens": 99, "system": BOTH, "chat_template_kwargs": THINKS,
         "output_config": {"effort": "low"}, "thinking": None},
    ),
    (
        "ollama_sdk.chat", OLLAMAS,
        {"temperature": 0.2, "max_tokens": 99, "messages": [system(SYSTEM), HI], **EFFORT},
        {"temperature": 0.9, "max_tokens": 500, "reasoning_effort": "high",
         "chat_template_kwargs": None},
        {"temperature": 0.2, "max_tokens": 99, **EFFORT},
    ),
    (
        "ollama_sdk.generate", {**OLLAMAS, "system": OWN},
        {"temperature": 0.2, "max_tokens": 99, "messages": [system(SYSTEM), HI], **EFFORT},
        {"temperature": 0.9, "max_tokens": 500, "messages": [system(OWN), HI],
         "reasoning_effort": "high"},
        {"temperature": 0.2, "max_tokens": 99, "messages": [system(BOTH), HI], **EFFORT},
    ),
]  # fmt: skip
EACH = pytest.mark.parametrize(
    ("call", "says", "silent", "spoken", "fixed"), CALLS, ids=[call[0] for call in CALLS]
)


@EACH
def test_vllm_gets_what_the_name_adds_and_the_client_does_not_say(
    python: Worker, cpu: OpenAIStub, call: str, says: Body, silent: Body, spoken: Body, fixed: Body
) -> None:
    python.call(call, model="gentle-gpu")
    assert received(cpu, *silent) == silent
    python.call(call, model="gentle-gpu", **says)
    assert received(cpu, *spoken) == spoken


@EACH
def test_vllm_gets_what_is_fixed_whatever_the_client_says(
    python: Worker, cpu: OpenAIStub, call: str, says: Body, silent: Body, spoken: Body, fixed: Body
) -> None:
    python.call(call, model="strict-gpu")
    assert received(cpu, *silent) == silent
    python.call(call, model="strict-gpu", **says)
    assert received(cpu, *fixed) == fixed


# The same model on Ollama: responses and messages come through LiteLLM.
@pytest.mark.parametrize("call", [call[0] for call in CALLS])
def test_ollama_gets_it_in_its_own_words(python: Worker, cpu: OpenAIStub, call: str) -> None:
    for name in ("gentle-cpu", "strict-cpu"):
        python.call(call, model=name)
        body = cpu.received[-1].body
        assert body["options"]["temperature"] == ADDED["temperature"]
        limit = 100 if call.startswith("anthropic") and name == "gentle-cpu" else 99
        assert body["options"]["num_predict"] == limit
        assert body["think"] == "low"
        text = body.get("system") or body["messages"][0]["content"]
        assert text == SYSTEM


@pytest.mark.parametrize(
    ("call", "says"), [each[:2] for each in CALLS], ids=[each[0] for each in CALLS]
)
def test_ollama_is_held_to_what_is_fixed(
    python: Worker, cpu: OpenAIStub, call: str, says: Body
) -> None:
    python.call(call, model="strict-cpu", **says)
    body = cpu.received[-1].body
    assert (body["options"]["temperature"], body["options"]["num_predict"]) == (0.2, 99)
    assert body["think"] == "low"
    text = body.get("system") or body["messages"][0]["content"]
    assert text == (BOTH if OWN in says.values() else SYSTEM)


STREAMS: list[tuple[str, Body]] = [
    ("/v1/chat/completions", {"messages": [HI]}),
    ("/v1/responses", {"input": "hi"}),
    ("/v1/messages", {"messages": [HI], "max_tokens": 500}),
    ("/api/chat", {"messages": [HI]}),
]


@pytest.mark.parametrize(("path", "asks"), STREAMS)
def test_a_stream_is_no_other_and_tells_what_did_not_count(
    http: httpx.Client, cpu: OpenAIStub, path: str, asks: Body
) -> None:
    hot = {"options": {"temperature": 1.5}} if path == "/api/chat" else {"temperature": 1.5}
    with http.stream("POST", path, json={"model": "strict-gpu", **asks, **hot, "stream": True}) as (
        answer
    ):
        assert "temperature" in answer.headers[IGNORED]
        assert "Hello" in answer.read().decode()
    assert received(cpu, "temperature", "stream") == {"temperature": 0.2, "stream": True}


def test_completions_get_what_a_raw_prompt_can_carry(python: Worker, cpu: OpenAIStub) -> None:
    python.call("openai_sdk.completion", model="gentle-gpu", max_tokens=None)
    assert received(cpu, "temperature", "max_tokens") == {"temperature": 0.2, "max_tokens": 99}
    python.call("openai_sdk.completion", model="gentle-gpu", max_tokens=7, temperature=0)
    assert received(cpu, "temperature", "max_tokens") == {"temperature": 0, "max_tokens": 7}


def test_what_a_raw_prompt_cannot_carry_is_told_or_refused(
    http: httpx.Client, cpu: OpenAIStub
) -> None:
    for path, raw in (("/v1/completions", {}), ("/api/generate", {"raw": True, "stream": False})):
        asks = {"prompt": "hi", **raw}
        answer = http.post(path, json={"model": "gentle-gpu", **asks})
        assert answer.headers[IGNORED] == "preset.effort, preset.system"
        cpu.received.clear()
        refused = http.post(path, json={"model": "strict-gpu", **asks})
        assert refused.status_code == 400
        assert "Ask for it as a chat" in refused.text
        assert cpu.received == []


def test_an_answer_is_as_long_as_is_fixed(python: Worker) -> None:
    chat = python.call("openai_sdk.chat", model="short")
    assert chat["usage"]["completion_tokens"] == 3
    assert chat["choices"][0]["finish_reason"] == "length"
    message = python.call("anthropic_sdk.message", model="short")
    assert (message["usage"]["output_tokens"], message["stop_reason"]) == (3, "max_tokens")
    shorter = python.call("openai_sdk.chat", model="short", max_tokens=2)
    assert shorter["usage"]["completion_tokens"] == 2


def test_a_fallback_answers_without_what_it_cannot_follow_and_the_client_hears_of_it(
    http: httpx.Client, cpu: OpenAIStub
) -> None:
    for path, asks in (STREAMS[0], STREAMS[3]):
        cpu.behaviours["gpu-bare"] = Behaviour(status=503)
        answer = http.post(path, json={"model": "gentle-gpu", **asks, "stream": False})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-synapse-model"] == "cpu-chat"
        assert answer.headers[IGNORED] == "preset.effort"
        body = cpu.received[-1].body
        assert "think" not in body
        assert body["options"]["temperature"] == 0.2
        assert body["messages"][0] == system(SYSTEM)


def test_a_system_text_counts_where_tokens_are_counted(python: Worker, http: httpx.Client) -> None:
    plain = python.call("anthropic_sdk.count", model="gpu-chat", words="hi")
    found = python.call("anthropic_sdk.count", model="wordy", words="hi")
    assert found > plain
    own = python.call("anthropic_sdk.count", model="wordy", words="hi", system="Hm")
    assert plain < own < found
    counts = [
        http.post("/tokenize", json={"model": model, "messages": [HI]}).json()["count"]
        for model in ("gpu-chat", "wordy")
    ]
    assert counts[1] > counts[0]


def test_who_may_ask_for_a_name_that_fixes_something_may_not_ask_around_it(
    http: httpx.Client, cpu: OpenAIStub
) -> None:
    held = {"authorization": "Bearer sk-synapse-held"}
    names = [one["id"] for one in http.get("/v1/models", headers=held).json()["data"]]
    assert names == ["strict-gpu"]
    for model in ("gpu-bare", "cpu-chat", "gentle-gpu"):
        refused = http.post(
            "/v1/chat/completions", json={"model": model, "messages": [HI]}, headers=held
        )
        assert refused.status_code == 404
    cpu.behaviours["gpu-bare"] = Behaviour(status=503)
    answer = http.post(
        "/v1/chat/completions", json={"model": "strict-gpu", "messages": [HI]}, headers=held
    )
    assert answer.json()["choices"][0]["message"]["content"] == SAID_BY_CPU
    assert received(cpu, "messages") == {"messages": [system(SYSTEM), HI]}


def test_the_list_shows_what_a_name_adds_but_not_the_text(
    python: Worker, http: httpx.Client
) -> None:
    models = {one["id"]: one for one in python.call("openai_sdk.models")}
    shown = {"temperature": 0.2, "effort": "low", "max_output_tokens": 99, "system": True}
    assert models["gentle-gpu"]["preset"] == {"model": "gpu-bare", "parameters": shown, "fixed": {}}
    assert models["strict-cpu"]["preset"] == {
        "model": "cpu-alone",
        "parameters": {},
        "fixed": shown,
    }
    assert "preset" not in models["assistant"]
    assert SYSTEM not in http.get("/v1/models").text
    one = http.get("/v1/models/strict-cpu").json()
    assert one["preset"] == models["strict-cpu"]["preset"]


def test_ollamas_clients_are_shown_it_too(python: Worker, http: httpx.Client) -> None:
    told = python.call("ollama_sdk.show", model="gentle-cpu")
    assert {"temperature 0.2", "num_predict 99"} <= set(told["parameters"].splitlines())
    assert SYSTEM not in http.post("/api/show", json={"model": "gentle-cpu"}).text
