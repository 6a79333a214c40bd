"""The way through port 8000, as an application that nobody here wrote sees it."""

from typing import Any

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster

from .conftest import log_line

HELLO: Any = [{"role": "user", "content": "Tell me about the server."}]
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "time_now",
        "description": "The time",
        "parameters": {"type": "object", "properties": {}},
    },
}


def test_chat_answers_what_was_asked_and_counts_it(jarvis: openai.OpenAI) -> None:
    answer = jarvis.chat.completions.create(
        model="chat", messages=FRANCE, max_tokens=20, temperature=0
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 20
    assert answer.usage.prompt_tokens > 5


def test_chat_remembers_what_was_said_before(jarvis: openai.OpenAI) -> None:
    said: Any = [
        *FRANCE,
        {"role": "assistant", "content": "The capital of France is Paris."},
        {"role": "user", "content": "And what is the capital of Italy?"},
    ]
    answer = jarvis.chat.completions.create(
        model="chat", messages=said, max_tokens=20, temperature=0
    )
    assert "Rome" in (answer.choices[0].message.content or "")


def test_stream_gives_the_answer_in_pieces_and_ends_properly(jarvis: openai.OpenAI) -> None:
    pieces, reasons = [], []
    for chunk in jarvis.chat.completions.create(
        model="chat", messages=HELLO, max_tokens=40, stream=True
    ):
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reasons.append(choice.finish_reason)
    assert sum(bool(piece) for piece in pieces) > 1
    assert reasons[-1] in {"stop", "length"}


def test_request_with_tools_is_answered(jarvis: openai.OpenAI) -> None:
    answer = jarvis.chat.completions.create(
        model="tiny-chat", messages=HELLO, max_tokens=20, tools=[TOOL]
    )
    assert answer.choices[0].finish_reason in {"stop", "length", "tool_calls"}


def test_a_model_that_knows_no_tools_refuses_them(jarvis: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        jarvis.chat.completions.create(model="chat", messages=HELLO, max_tokens=20, tools=[TOOL])


def test_embeddings_are_near_where_meanings_are(jarvis: openai.OpenAI) -> None:
    data = jarvis.embeddings.create(
        model="embed", input=["a cat", "a kitten", "a graphics driver"]
    ).data
    cat, kitten, driver = (entry.embedding for entry in data)
    assert len(cat) == 384
    assert dot(cat, kitten) > 0.6 > 0.3 > dot(cat, driver)


def dot(left: list[float], right: list[float]) -> float:
    """Cosine of unit vectors."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_models_lists_what_the_application_names_of_what_it_may_use(
    jarvis: openai.OpenAI, agents: openai.OpenAI
) -> None:
    listed = {model.id for model in jarvis.models.list()}
    assert {"chat", "embed", "code", "assistant"} <= listed
    for name in ("smollm2", "minilm", "cloud-chat"):  # who answers to those names
        assert name not in listed
        assert jarvis.models.retrieve(name).id == name
    assert "embed" not in {model.id for model in agents.models.list()}


def test_forbidden_model_looks_like_an_unknown_one(agents: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as forbidden:
        agents.embeddings.create(model="embed", input="x")
    assert forbidden.value.code == "model_not_found"


def test_wrong_key_is_refused(base_url: str) -> None:
    stranger = openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="chat", messages=HELLO)


def test_backend_that_is_down_falls_back_and_the_log_says_why(
    http: httpx.Client, cluster: Cluster
) -> None:
    answer = http.post(
        "/v1/chat/completions", json={"model": "code", "messages": HELLO, "max_tokens": 10}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-synapse-model"] == "tiny-chat"
    line = log_line(cluster, answer.headers["x-request-id"])
    assert (line["app"], line["asked"], line["served"]) == ("jarvis-cortex", "code", "tiny-chat")
    assert line["fallback"] is True
    assert line["reason"]


def test_log_tells_of_a_whole_stream_and_of_what_was_refused(
    http: httpx.Client, cluster: Cluster
) -> None:
    body = {"model": "chat", "messages": HELLO, "max_tokens": 10, "stream": True}
    streamed = log_line(
        cluster, http.post("/v1/chat/completions", json=body).headers["x-request-id"]
    )
    assert (streamed["status"], streamed["served"]) == (200, "smollm2")
    assert 0 < streamed["ttft_s"] <= streamed["duration_s"]
    unknown = http.post("/v1/chat/completions", json=body | {"model": "gpt-9"})
    refused = log_line(cluster, unknown.headers["x-request-id"])
    assert (refused["status"], refused["asked"]) == (404, "gpt-9")


def test_log_holds_no_prompt_and_no_key(
    http: httpx.Client, cluster: Cluster, keys: dict[str, str]
) -> None:
    secret = "the marmalade password is 7141"
    answer = http.post(
        "/v1/chat/completions",
        json={"model": "chat", "messages": [{"role": "user", "content": secret}], "max_tokens": 5},
    )
    log_line(cluster, answer.headers["x-request-id"])
    log = "\n".join(cluster.log_lines("gateway", tail=2000))
    assert "marmalade" not in log
    assert not [app for app, key in keys.items() if key in log]
