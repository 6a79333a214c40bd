"""Requests of Ollama's clients in OpenAI's words: each field translated, told, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import ARGUMENTS, NAMES, TEXTS
from synapse_common.refusals import Refusal
from synapse_gateway.ollama import FromNative, from_native, to_native

Body = dict[str, Any]

HELLO = [{"role": "user", "content": "Hello"}]
PNG, JPEG, GIF = "iVBORw0KGgo=", "/9j/4AAQ", "R0lGODlh"
WEBP = "UklGRgAAAABXRUJQ"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def chat(**given: Any) -> FromNative:
    return from_native("/api/chat", {"model": "m", "messages": HELLO, **given})


def generate(**given: Any) -> FromNative:
    return from_native("/api/generate", {"model": "m", "prompt": "Hi", **given})


def refused(path: str, **given: Any) -> Refusal:
    own: dict[str, Body] = {
        "/api/chat": {"messages": HELLO}, "/api/generate": {"prompt": "x"}, "/api/embed": {},
    }  # fmt: skip
    with pytest.raises(Refusal) as refusal:
        from_native(path, {"model": "m"} | own[path] | given)
    assert refusal.value.status == 400
    return refusal.value


def test_a_chat_streams_unless_told_otherwise() -> None:
    told = chat()
    assert (told.dialect, told.stream, told.ignored, told.answered) == ("chat", True, (), None)
    assert told.fields == {
        "model": "m",
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert chat(stream=False).fields == {"model": "m", "messages": HELLO, "stream": False}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"num_predict": 5, "temperature": 0}, {"max_tokens": 5, "temperature": 0}),
        ({"num_predict": -1, "seed": -1}, {}),
        ({"num_predict": 0, "seed": 0}, {"seed": 0}),
        ({"num_predict": -2, "stop": "x"}, {"stop": ["x"]}),
        ({"stop": ["a", "b"], "top_k": 0}, {"stop": ["a", "b"], "top_k": 0}),
        ({"repeat_penalty": 1.1, "min_p": 0.1}, {"repetition_penalty": 1.1, "min_p": 0.1}),
        ({"presence_penalty": 1, "frequency_penalty": 2, "top_p": 0.9},
         {"presence_penalty": 1, "frequency_penalty": 2, "top_p": 0.9}),
        ({"typical_p": 1.0, "repeat_last_n": 64, "temperature": None}, {}),
    ],
)  # fmt: skip
def test_options(options: Body, told: Body) -> None:
    without = {"model", "messages", "stream", "stream_options"}
    fields = chat(options=options).fields
    assert {key: value for key, value in fields.items() if key not in without} == told


def test_what_is_not_followed_is_told() -> None:
    options = {"num_ctx": 4096, "num_gpu": 1, "mirostat": 2, "num_keep": 5}
    told = chat(options=options, keep_alive="5m", truncate=True, shift=False, novel=1)
    assert sorted(told.ignored) == [
        "keep_alive", "novel", "options.mirostat", "options.num_ctx", "options.num_gpu",
        "options.num_keep", "truncate",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "given", "param"),
    [
        ("/api/chat", {"options": {"temperature": "hot"}}, "options.temperature"),
        ("/api/chat", {"options": {"typical_p": 0.5}}, "options.typical_p"),
        ("/api/chat", {"options": {"repeat_last_n": 5}}, "options.repeat_last_n"),
        ("/api/chat", {"options": {"invented": 5}}, "options.invented"),
        ("/api/chat", {"options": "hot"}, "options"),
        ("/api/chat", {"format": "xml"}, "format"),
        ("/api/chat", {"think": "hard"}, "think"),
        ("/api/chat", {"top_logprobs": 21}, "top_logprobs"),
        ("/api/chat", {"messages": "x"}, "messages"),
        ("/api/chat", {"messages": [{"role": "x"}]}, "messages[0].role"),
        ("/api/chat", {"messages": [{"role": "user", "content": [1]}]}, "messages[0].content"),
        ("/api/chat", {"tools": "x"}, "tools"),
        ("/api/chat", {"stream": "yes"}, "stream"),
        ("/api/chat", {"_debug_render_only": True}, "_debug_render_only"),
        ("/api/chat", {"model": ""}, "model"),
        ("/api/generate", {"template": "{{ .Prompt }}"}, "template"),
        ("/api/generate", {"context": [1, 2]}, "context"),
        ("/api/generate", {"raw": True, "images": [PNG]}, "images"),
        ("/api/generate", {"raw": True, "system": "x"}, "system"),
        ("/api/generate", {"raw": True, "format": "json"}, "format"),
        ("/api/generate", {"suffix": "x", "think": True}, "think"),
        ("/api/generate", {"images": ["nothing"]}, "images[0]"),
        ("/api/generate", {"images": ["AAAA"]}, "images[0]"),
        ("/api/embed", {"input": [1, 2]}, "input"),
        ("/api/embed", {"input": {}}, "input"),
        ("/api/embed", {"input": "x", "dimensions": -1}, "dimensions"),
    ],
)
def test_what_is_refused(path: str, given: Body, param: str) -> None:
    assert refused(path, **given).param == param


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"format": ""}, {}),
        ({"format": "json"}, {"response_format": {"type": "json_object"}}),
        ({"think": False}, {"reasoning_effort": "none"}),
        ({"think": True}, {"reasoning_effort": "medium"}),
        ({"think": "high"}, {"reasoning_effort": "high"}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"tools": [TOOL]}, {"tools": [TOOL]}),
        ({"tools": []}, {}),
    ],
)
def test_extras(given: Body, told: Body) -> None:
    assert chat(stream=False, **given).fields == chat(stream=False).fields | told


def test_a_schema() -> None:
    told = chat(format={"type": "object"}).fields["response_format"]
    assert told["type"] == "json_schema"
    assert told["json_schema"]["schema"] == {"type": "object"}


@pytest.mark.parametrize(
    ("image", "kind"), [(PNG, "png"), (JPEG, "jpeg"), (GIF, "gif"), (WEBP, "webp")]
)
def test_pictures(image: str, kind: str) -> None:
    message = {"role": "user", "content": "What is it?", "images": [image]}
    assert chat(messages=[message]).fields["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{image}"}},
        {"type": "text", "text": "What is it?"},
    ]


def test_generate_is_a_chat_with_one_turn() -> None:
    told = generate(system="Be kind.", images=[PNG], stream=False)
    assert told.dialect == "chat"
    system, user = told.fields["messages"]
    assert system == {"role": "system", "content": "Be kind."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]


def test_a_raw_prompt_is_a_completion() -> None:
    told = generate(raw=True, logprobs=True, top_logprobs=2, stream=False)
    assert told.dialect == "completions"
    assert told.fields == {"model": "m", "prompt": "Hi", "logprobs": 2, "stream": False}
    assert generate(suffix="!").fields["suffix"] == "!"


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/api/chat", {"messages": []}, {"message": {"role": "assistant", "content": ""}}),
        ("/api/chat", {}, {"message": {"role": "assistant", "content": ""}}),
        ("/api/generate", {"prompt": ""}, {"response": ""}),
        ("/api/generate", {"keep_alive": 0}, {"response": "", "done_reason": "unload"}),
        ("/api/embed", {"input": ""}, {"embeddings": []}),
        ("/api/embed", {"input": []}, {"embeddings": []}),
        ("/api/embeddings", {}, {"embedding": []}),
    ],
)
def test_who_asks_nothing_gets_an_answer_at_once(path: str, body: Body, answer: Body) -> None:
    told = from_native(path, {"model": "m", **body}).answered
    assert told is not None
    read = json.loads(told)
    if path in ("/api/chat", "/api/generate"):
        answer = {"done": True, "done_reason": "load", "model": "m"} | answer
    assert read | answer == read


def test_results_find_their_calls() -> None:
    def call(name: str) -> Body:
        return {"function": {"name": name, "arguments": {}}}

    messages = [
        {"role": "assistant", "content": "", "tool_calls": [call("a"), call("b"), call("a")]},
        {"role": "tool", "tool_name": "b", "content": "1"},
        {"role": "tool", "tool_name": "a", "content": "2"},
        {"role": "tool", "content": "3"},
        {"role": "assistant", "tool_calls": [call("a") | {"id": "own"}]},
        {"role": "tool", "tool_call_id": "own", "content": "4"},
    ]
    told = chat(messages=messages).fields["messages"]
    assert [call["id"] for call in told[0]["tool_calls"]] == ["call_1", "call_2", "call_3"]
    results = [message["tool_call_id"] for message in told if message["role"] == "tool"]
    assert results == ["call_2", "call_1", "call_3", "own"]


CALLS = st.lists(
    st.fixed_dictionaries(
        {"function": st.fixed_dictionaries({"name": NAMES, "arguments": ARGUMENTS})}
    ),
    min_size=1,
    max_size=3,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS}
    )
    | st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": TEXTS, "thinking": NAMES, "tool_calls": CALLS}
    ),
    min_size=1,
    max_size=5,
)


@given(MESSAGES)
def test_there_and_back_a_model_reads_the_same(messages: list[Body]) -> None:
    there = from_native("/api/chat", {"model": "m", "messages": messages})
    back = to_native("chat", there.fields, "m", "m").body["messages"]
    for message in back:
        for call in message.get("tool_calls", ()):
            assert call.pop("id")
    assert back == messages


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KNOWN = [
    "model", "messages", "prompt", "input", "stream", "format", "keep_alive", "tools", "options",
    "think", "truncate", "shift", "logprobs", "top_logprobs", "suffix", "system", "template",
    "context", "raw", "images", "dimensions",
]  # fmt: skip


@given(
    st.sampled_from(["/api/chat", "/api/generate", "/api/embed", "/api/embeddings"]),
    st.dictionaries(st.sampled_from(KNOWN), ANYTHING),
)
def test_any_request_is_translated_or_refused(path: str, body: Body) -> None:
    said: Refusal | None = None
    try:
        from_native(path, body)
    except Refusal as refusal:
        said = refusal
    assert said is None or (said.status == 400 and said.param is not None)
