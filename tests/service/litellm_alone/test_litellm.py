"""LiteLLM alone: the same models and fallbacks as the gateway, and answers that are honest."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_process import Gateway, events, litellm_venv
from litellm_process import KEY, LiteLLM
from openai_stub import Behaviour, OpenAIStub
from synapse_common import protocol
from synapse_litellm.warm_up import ROUTES

from .conftest import INNER_PORT

FILES = Path(__file__).parents[3] / "files"
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
BUSY = Behaviour(status=503, retry_after_s=30)
TOO_LONG = Behaviour(
    status=400, message="This model's maximum context length is 10 tokens. You asked for 30."
)


def chat(client: httpx.Client, name: str, **more: Any) -> httpx.Response:
    """Ask a model for a chat answer."""
    return client.post("/v1/chat/completions", json={"model": name, "messages": HELLO, **more})


def asked(*stubs: OpenAIStub) -> list[str]:
    """What came to these engines, by the names that models have there."""
    return [one.body["model"] for stub in stubs for one in stub.received]


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("gpu", "gpu"), ("cpu", "cpu"), ("cloud", "cloud-at-provider"), ("lonely", "lonely"),
        ("chat", "gpu"), ("strange", "strange-v1"), ("dead", "cpu"),
    ],
)  # fmt: skip
def test_each_chat_model_is_the_catalogues(
    client: httpx.Client,
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    name: str,
    served: str,
) -> None:
    answer = chat(client, name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from the stub"
    assert asked(gpu, cpu, cloud) == [served]


@pytest.mark.parametrize(
    ("name", "served"),
    [("minilm", "minilm"), ("embed-gpu", "embed-gpu"), ("embed", "embed-gpu"),
     ("embed-cloud", "embed-cloud-at-provider")],
)  # fmt: skip
def test_each_embedding_model_is_the_catalogues(
    client: httpx.Client,
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    name: str,
    served: str,
) -> None:
    answer = client.post("/v1/embeddings", json={"model": name, "input": "hello"})
    assert answer.status_code == 200, answer.text
    assert asked(gpu, cpu, cloud) == [served]


@pytest.mark.parametrize(
    ("name", "served"), [("order", "order"), ("order-cloud", "order-cloud-at-provider")]
)
def test_each_rerank_model_is_the_catalogues(
    client: httpx.Client, gpu: OpenAIStub, cloud: OpenAIStub, name: str, served: str
) -> None:
    body = {"model": name, "query": "a", "documents": ["b", "aa"]}
    answer = client.post("/v1/rerank", json=body)
    assert answer.status_code == 200, answer.text
    assert [one["index"] for one in answer.json()["results"]] == [1, 0]
    assert asked(gpu, cloud) == [served]


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("gpu", ["gpu", "cpu", "cloud-at-provider"]),
        ("chat", ["gpu", "cpu", "cloud-at-provider"]),
        ("strange", ["strange-v1", "cloud-at-provider"]),
        ("chain-0", [f"chain-{n}" for n in range(8)]),
    ],
)
def test_each_fallback_is_the_catalogues(
    client: httpx.Client,
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    name: str,
    chain: list[str],
) -> None:
    for stub in (gpu, cpu, cloud):
        stub.behaviours |= dict.fromkeys(chain[:-1], BUSY)
    assert chat(client, name).status_code == 200
    assert sorted(asked(gpu, cpu, cloud)) == sorted(chain)


def test_an_embedding_and_a_rerank_model_have_theirs(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub
) -> None:
    gpu.behaviours = {"embed-gpu": BUSY, "order": BUSY}
    client.post("/v1/embeddings", json={"model": "embed-gpu", "input": "a"}).raise_for_status()
    body = {"model": "order", "query": "a", "documents": ["b"]}
    client.post("/v1/rerank", json=body).raise_for_status()
    assert asked(cpu, cloud) == ["minilm", "order-cloud-at-provider"]


def test_what_is_too_long_goes_where_there_is_room(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = TOO_LONG
    assert chat(client, "gpu").status_code == 200
    assert asked(gpu, cpu, cloud) == ["gpu", "cpu"]


def test_a_fallback_can_be_forbidden(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub
) -> None:
    gpu.behaviours["gpu"] = BUSY
    answer = chat(client, "gpu", disable_fallbacks=True)
    assert answer.status_code == 503, answer.text
    assert asked(gpu, cpu) == ["gpu"]
    assert "disable_fallbacks" not in gpu.received[0].body


CUT = [
    Behaviour(finish_reason="abort"), Behaviour(finish_reason="error"),
    Behaviour(finish_reason=None),
]  # fmt: skip
AT = {"lonely": "lonely", "cloud": "cloud-at-provider", "strange": "strange-v1"}


@pytest.mark.parametrize("name", AT)
@pytest.mark.parametrize(
    "behaviour", [*CUT, Behaviour(ends_after_words=2), Behaviour(dies_after_words=2)]
)
def test_a_stream_that_is_cut_does_not_end_with_stop(
    client: httpx.Client, gpu: OpenAIStub, cloud: OpenAIStub, name: str, behaviour: Behaviour
) -> None:
    gpu.behaviours[AT[name]] = cloud.behaviours[AT[name]] = behaviour
    answer = chat(client, name, stream=True, disable_fallbacks=True)
    found = events(answer.text)
    reasons = [
        choice.get("finish_reason")
        for event in found
        if event != "[DONE]"
        for choice in event.get("choices", [])
    ]
    assert "stop" not in reasons, answer.text
    told = any(event != "[DONE]" and event.get("error") for event in found)
    assert told or {"abort", "error"} & set(reasons), answer.text


@pytest.mark.parametrize("name", AT)
@pytest.mark.parametrize("behaviour", CUT)
def test_a_whole_answer_that_was_cut_is_an_error(
    client: httpx.Client, gpu: OpenAIStub, cloud: OpenAIStub, name: str, behaviour: Behaviour
) -> None:
    gpu.behaviours[AT[name]] = cloud.behaviours[AT[name]] = behaviour
    answer = chat(client, name, disable_fallbacks=True)
    assert answer.status_code >= 500, answer.text


def test_a_text_that_looks_like_the_end_is_a_text(client: httpx.Client, gpu: OpenAIStub) -> None:
    words = ("data: ", "[DONE]", " and", " on")
    gpu.behaviours["lonely"] = Behaviour(words=words)
    found = events(chat(client, "lonely", stream=True).text)
    texts = [event["choices"][0]["delta"].get("content") for event in found if event != "[DONE]"]
    assert [text for text in texts if text] == list(words)


@pytest.mark.parametrize("ends_after", [None, 2])
def test_what_is_translated_into_anthropics_dialect_is_as_honest(
    client: httpx.Client, cloud: OpenAIStub, ends_after: int | None
) -> None:
    cloud.behaviours["cloud-at-provider"] = Behaviour(ends_after_words=ends_after)
    body = {"model": "cloud", "messages": HELLO, "max_tokens": 9, "stream": True}
    text = client.post("/v1/messages", json=body).text
    assert ("end_turn" in text) is (ends_after is None), text
    assert ("event: error" in text) is (ends_after is not None), text


def test_what_is_translated_into_responses_is_chat_at_the_address(
    client: httpx.Client, cloud: OpenAIStub
) -> None:
    answer = client.post("/v1/responses", json={"model": "cloud", "input": "hello"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "completed"
    assert [one.path for one in cloud.received] == ["/v1/chat/completions"]
    assert "use_chat_completions_api" not in cloud.received[0].body


IN_OLLAMAS_PLACE: list[tuple[str, dict[str, Any]]] = [
    ("chat/completions", {"messages": HELLO}),
    ("completions", {"prompt": "hello"}),
    ("responses", {"input": "hello"}),
    ("messages", {"messages": HELLO, "max_tokens": 9}),
]


@pytest.mark.parametrize(("path", "body"), IN_OLLAMAS_PLACE)
@pytest.mark.parametrize("stream", [False, True])
def test_ollama_is_asked_in_its_own_api_which_cuts_nothing(
    client: httpx.Client, cpu: OpenAIStub, path: str, body: dict[str, Any], stream: bool
) -> None:
    answer = client.post(f"/v1/{path}", json={"model": "cpu", "stream": stream, **body})
    assert answer.status_code == 200, answer.text
    assert "Hello" in answer.text
    (received,) = cpu.received
    assert received.path in ("/api/chat", "/api/generate")
    assert received.body["truncate"] is False


@pytest.mark.parametrize(("path", "body"), IN_OLLAMAS_PLACE)
@pytest.mark.parametrize("stream", [False, True])
def test_what_ollama_refuses_as_too_long_is_refused(
    client: httpx.Client, cpu: OpenAIStub, path: str, body: dict[str, Any], stream: bool
) -> None:
    message = "the input length exceeds the context length"
    cpu.behaviours["cpu"] = Behaviour(status=400, message=message)
    asked = {"model": "cpu", "stream": stream, "disable_fallbacks": True, **body}
    answer = client.post(f"/v1/{path}", json=asked)
    assert answer.status_code == 400, answer.text
    assert "context" in answer.text


def test_litellm_cannot_ask_the_gateway_for_anything_else(gateway: Gateway) -> None:
    inner = f"http://127.0.0.1:{INNER_PORT}/v1/chat/completions"
    body = {"model": "cpu", "messages": HELLO}
    bearer = {"authorization": f"Bearer {KEY}"}
    assert httpx.post(inner, json=body).status_code == 401
    assert httpx.post(inner, json=body | {"model": "gpu"}, headers=bearer).status_code == 404
    models = f"http://127.0.0.1:{INNER_PORT}/v1/models"
    assert httpx.get(models, headers=bearer).status_code == 404


HEADERS = {
    protocol.APP: "jarvis",
    protocol.PERSON: "0123456789abcdef",
    protocol.PRIORITY: "batch",
    protocol.REQUEST_ID: "abc",
    protocol.MAX_WAIT: "3",
}


@pytest.mark.parametrize("stream", [False, True])
def test_the_arbiter_learns_who_asks_and_nobody_else(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub, stream: bool
) -> None:
    for name in ("gpu", "cpu", "cloud"):
        body = {"model": name, "messages": HELLO, "stream": stream}
        client.post("/v1/chat/completions", json=body, headers=HEADERS).raise_for_status()
    sent = [_lower(stub.received[0].headers) for stub in (gpu, cpu, cloud)]
    assert HEADERS.items() <= sent[0].items()
    for headers in sent[1:]:
        assert not [name for name in headers if name.startswith("x-synapse")]
        assert headers.get(protocol.REQUEST_ID) != HEADERS[protocol.REQUEST_ID]


@pytest.mark.parametrize("path", ["embeddings", "completions", "rerank"])
def test_it_learns_it_on_every_path(client: httpx.Client, gpu: OpenAIStub, path: str) -> None:
    body = {
        "embeddings": {"model": "embed-gpu", "input": "a"},
        "completions": {"model": "gpu", "prompt": "a"},
        "rerank": {"model": "order", "query": "a", "documents": ["b"]},
    }[path]
    client.post(f"/v1/{path}", json=body, headers=HEADERS).raise_for_status()
    assert HEADERS.items() <= _lower(gpu.received[0].headers).items()


@pytest.mark.parametrize("name", ["gpu", "cpu", "cloud", "strange"])
def test_a_long_list_of_stops_passes_whole(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub, name: str
) -> None:
    stops = [f"stop-{n}" for n in range(12)]
    chat(client, name, stop=stops).raise_for_status()
    (received,) = [*gpu.received, *cpu.received, *cloud.received]
    told = received.body if name != "cpu" else received.body["options"]
    assert told["stop"] == stops


def test_a_model_that_repeats_itself_is_not_cut(client: httpx.Client, gpu: OpenAIStub) -> None:
    gpu.behaviours["lonely"] = Behaviour(words=("again ",) * 150)
    text = chat(client, "lonely", stream=True).text
    assert text.count("again ") == 150
    assert '"error"' not in text


def test_each_provider_gets_its_key_and_parameters(client: httpx.Client, cloud: OpenAIStub) -> None:
    chat(client, "cloud").raise_for_status()
    chat(client, "strange").raise_for_status()
    first, second = cloud.received
    assert _lower(first.headers)["authorization"] == "Bearer sk-cloud"
    assert _lower(second.headers)["authorization"] == "Bearer sk-strange"
    assert second.body["temperature"] == 0.5
    assert str(second.body["seed"]) == "7"


def test_what_openais_chat_has_reaches_an_address_outside(
    client: httpx.Client, cloud: OpenAIStub
) -> None:
    function = {"name": "f", "strict": True, "parameters": {"additionalProperties": False}}
    fields: dict[str, Any] = {
        "user": "me",
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "max_completion_tokens": 5,
        "parallel_tool_calls": False,
        "tools": [{"type": "function", "function": function}],
    }
    chat(client, "cloud", **fields).raise_for_status()
    body = cloud.received[0].body
    assert {name: body.get(name) for name in fields} == fields


def test_what_a_provider_does_not_take_is_refused_by_name(
    client: httpx.Client, cloud: OpenAIStub
) -> None:
    answer = chat(client, "claude", logit_bias={"1": 1})
    assert answer.status_code == 400, answer.text
    assert "logit_bias" in answer.text
    assert not cloud.received


def test_nothing_answers_without_the_key(litellm: LiteLLM) -> None:
    for path in ("/v1/models", "/v1/chat/completions"):
        body = {"model": "gpu", "messages": HELLO}
        assert httpx.post(f"{litellm.url}{path}", json=body).status_code in (400, 401, 405)
    assert httpx.get(f"{litellm.url}/v1/models").status_code == 401
    assert httpx.get(f"{litellm.url}/health/liveliness").status_code == 200


@pytest.mark.parametrize("path", ROUTES)
def test_what_the_start_asks_for_is_refused_and_reaches_nobody(
    litellm: LiteLLM, gpu: OpenAIStub, cpu: OpenAIStub, cloud: OpenAIStub, path: str
) -> None:
    assert httpx.post(f"{litellm.url}{path}", json={}).status_code == 401
    assert asked(gpu, cpu, cloud) == []


def test_what_is_loaded_early_is_where_the_start_looks_for_it() -> None:
    code = (
        "import importlib; from synapse_litellm.warm_up import LATE, TYPES, _unbuilt\n"
        "[importlib.import_module(name) for name in (*LATE, *TYPES)]\n"
        "importlib.import_module('litellm.llms').load_guardrail_translation_mappings\n"
        "assert len(list(_unbuilt())) > 50"
    )
    command = [str(litellm_venv.python()), "-c", code]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(FILES)})


def test_the_log_holds_no_prompt_and_no_complaint(
    client: httpx.Client, gpu: OpenAIStub, litellm: LiteLLM
) -> None:
    gpu.behaviours["lonely"] = Behaviour(status=500, message="broken over hush-hush")
    chat(client, "lonely", messages=[{"role": "user", "content": "hush-hush"}])
    said = litellm.log.read_text()
    assert "hush-hush" not in said
    assert "is not a valid argument" not in said
    assert "Traceback" not in said


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
