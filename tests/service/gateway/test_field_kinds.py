"""What was seen in the field in one dialect, asked for in all of them."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import httpx
import pytest

from every_dialect import ASKED, FUNCTION, HI, reason, words
from gateway_process import events, until
from openai_stub import Behaviour, OpenAIStub

Body = dict[str, Any]

LIMIT_S = 10
STOPS = [f"stop-{number}" for number in range(12)]
IGNORED = "x-synapse-ignored"
FAR = "https://example.com/cat.png"
OPENAIS_PICTURE = {"type": "image_url", "image_url": {"url": FAR}}
BY_ADDRESS: dict[str, Body] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": [OPENAIS_PICTURE]}]},
    "/v1/responses": {
        "input": [{"role": "user", "content": [{"type": "input_image", "image_url": FAR}]}]
    },
    "/v1/messages": {
        "max_tokens": 9,
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "url", "url": FAR}}],
            }
        ],
    },
    "/v1/messages/count_tokens": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "url", "url": FAR}}],
            }
        ]
    },
    "/tokenize": {"messages": [{"role": "user", "content": [OPENAIS_PICTURE]}]},
}
RANKED: Body = {"query": "x", "documents": [{"content": [OPENAIS_PICTURE]}]}
OTHERS: dict[str, tuple[str, Body]] = {
    "/v1/embeddings": ("embed-gpu", {"input": "x"}),
    "/v1/rerank": ("ranks", {"query": "x", "documents": ["y"]}),
    "/api/embed": ("embed-gpu", {"input": "x"}),
    "/api/embeddings": ("embed-gpu", {"prompt": "x"}),
}
"""What is asked of other models than of chats."""


@pytest.mark.parametrize("path", OTHERS)
def test_a_mistake_is_final_for_vectors_and_ranks_too(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, path: str
) -> None:
    model, body = OTHERS[path]
    gpu.behaviours[model] = Behaviour(status=400, message="'x' must not be")
    answer = client.post(path, json={"model": model, **body})
    assert (answer.status_code, reason(answer)) == (400, "'x' must not be")
    assert len(gpu.received) == 1
    assert cpu.received == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/chat/completions", "stop"),
        ("/v1/completions", "stop"),
        ("/v1/responses", "stop"),
        ("/v1/messages", "stop_sequences"),
    ],
)
def test_every_text_to_stop_at_reaches_an_engine(
    client: httpx.Client, gpu: OpenAIStub, path: str, field: str
) -> None:
    answer = client.post(path, json={"model": "lonely", **ASKED[path], field: STOPS})
    assert answer.status_code == 200, answer.text
    assert gpu.received[0].body[field] == STOPS


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/chat/completions", {"stop": STOPS}),
        ("/v1/completions", {"stop": STOPS}),
        ("/v1/messages", {"stop_sequences": STOPS}),
        ("/api/chat", {"options": {"stop": STOPS}, "stream": False}),
        ("/api/generate", {"options": {"stop": STOPS}, "stream": False}),
    ],
)
def test_every_text_to_stop_at_reaches_ollama(
    client: httpx.Client, cpu: OpenAIStub, path: str, more: Body
) -> None:
    answer = client.post(path, json={"model": "cpu", **ASKED[path], **more})
    assert answer.status_code == 200, answer.text
    assert cpu.received[0].body["options"]["stop"] == STOPS


@pytest.mark.parametrize("model", ["pair", "cpu"])
@pytest.mark.parametrize(
    ("path", "more", "name"),
    [
        ("/v1/messages", {"max_tokens": -1}, "max_tokens"),
        ("/v1/messages", {"temperature": "hot"}, "temperature"),
        ("/v1/messages", {"stop_sequences": "x"}, "stop_sequences"),
        ("/v1/responses", {"top_p": 2}, "top_p"),
        ("/v1/completions", {"n": 1000}, "n"),
        ("/api/chat", {"options": {"temperature": "hot"}}, "options.temperature"),
        ("/api/chat", {"options": {"num_predict": "many"}}, "options.num_predict"),
        ("/api/generate", {"options": {"top_p": 2}}, "options.top_p"),
        ("/api/generate", {"stream": "yes"}, "stream"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, model: str, path: str, more: Body,
    name: str,
) -> None:  # fmt: skip
    answer = client.post(path, json={"model": model, **ASKED[path], **more})
    assert answer.status_code == 400, answer.text
    assert f"'{name}'" in reason(answer)
    assert gpu.received + cpu.received == []


@pytest.mark.parametrize("path", [*ASKED, "/v1/embeddings", "/v1/rerank"])
def test_priority_is_the_operators_in_every_dialect(
    client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    model, body = OTHERS.get(path, ("lonely", ASKED.get(path, {})))
    answer = client.post(path, json={"model": model, **body, "priority": 5, "stream": False})
    if path.startswith("/api/"):  # Ollama takes no notice of fields that it does not know
        assert (answer.status_code, answer.headers[IGNORED]) == (200, "priority")
        assert "priority" not in gpu.received[0].body
    else:
        assert (answer.status_code, gpu.received) == (400, [])
        assert "'priority'" in reason(answer)


@pytest.mark.parametrize("path", BY_ADDRESS)
def test_a_picture_elsewhere_has_to_be_sent_as_data(
    client: httpx.Client, gpu: OpenAIStub, path: str
) -> None:
    answer = client.post(path, json={"model": "sees", **BY_ADDRESS[path]})
    assert answer.status_code == 400, answer.text
    assert "as a data: URL" in reason(answer)
    assert gpu.received == []


def test_a_picture_to_rank_is_refused_too(client: httpx.Client, gpu: OpenAIStub) -> None:
    answer = client.post("/v1/rerank", json={"model": "ranks", **RANKED})
    assert (answer.status_code, gpu.received) == (400, [])
    assert "as a data: URL" in reason(answer)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/responses", {"tools": [{"type": "function", **FUNCTION}], "tool_choice": "required"}),
        (
            "/v1/messages",
            {
                "tools": [{"name": "f", "input_schema": {"type": "object"}}],
                "tool_choice": {"type": "any"},
            },
        ),
    ],
)
def test_a_call_that_ollama_cannot_enforce_is_refused_by_name(
    client: httpx.Client, cpu: OpenAIStub, cloud: OpenAIStub, path: str, more: Body
) -> None:
    answer = client.post(path, json={"model": "cpu", **ASKED[path], **more})
    assert answer.status_code == 400, answer.text
    assert "'tool_choice' cannot be followed" in reason(answer)
    assert cpu.received + cloud.received == []


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/messages", "/api/chat"])
@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_a_packed_body_is_read_in_every_dialect(
    client: httpx.Client, path: str, packing: str
) -> None:
    body = json.dumps({"model": "lonely", **ASKED[path], "stream": False}).encode()
    packed = gzip.compress(body) if packing == "gzip" else zlib.compress(body)
    headers = {"content-encoding": packing, "content-type": "application/json"}
    answer = client.post(path, content=packed, headers=headers)
    assert (answer.status_code, words(answer)) == (200, "Hello from the stub"), answer.text


def test_what_stopped_a_text_is_told_in_the_old_completions_too(
    client: httpx.Client, gpu: OpenAIStub
) -> None:
    body = {"model": "lonely", "prompt": "hi", "stop": ["abort"]}
    answer = client.post("/v1/completions", json=body)
    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    streamed = client.post("/v1/completions", json={**body, "stream": True})
    assert events(streamed.text)[-1] == "[DONE]"


@pytest.mark.parametrize(("number", "path"), list(enumerate(ASKED)))
def test_an_answer_that_its_client_stopped_counts_as_far_as_it_went(
    client: httpx.Client, gpu: OpenAIStub, number: int, path: str
) -> None:
    gpu.behaviours["lonely"] = Behaviour(words=("word",) * 400, between_tokens_s=0.05)
    headers = {"authorization": f"Bearer sk-synapse-stopped-{number}"}
    body = {"model": "lonely", **ASKED[path], "stream": True}
    with client.stream("POST", path, json=body, headers=headers) as answer:
        text = ""
        for piece in answer.iter_text():
            text += piece
            if text.count("word") >= 4:
                break
    gpu.reset()

    def is_limited() -> bool:
        return (
            client.post(path, json={**body, "model": "nobody"}, headers=headers).status_code == 429
        )

    until(is_limited, LIMIT_S, lambda: "its tokens were not counted")


def test_many_tools_reach_a_model_of_which_nobody_knows_whether_it_calls_them(
    client: httpx.Client, gpu: OpenAIStub
) -> None:
    """Open WebUI sends 36 with every chat: the engine answers for itself."""
    tools = [{"type": "function", "function": {**FUNCTION, "name": f"t{n}"}} for n in range(36)]
    asked = {"model": "lonely", "messages": HI, "tools": tools}
    assert client.post("/v1/chat/completions", json=asked).status_code == 200
    assert gpu.received[0].body["tools"] == tools
