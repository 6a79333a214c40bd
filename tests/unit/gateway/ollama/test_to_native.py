"""OpenAI requests as Ollama takes them: each field translated, or refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_common.refusals import Refusal
from synapse_gateway import fields
from synapse_gateway.ollama import to_native
from synapse_gateway.ollama.to_options import TOLD

Fields = dict[str, Any]

HELLO = [{"role": "user", "content": "Hello"}]
PNG = "data:image/png;base64,iVBORw0KGgo="
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {
    "id": "call_9",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Köln"}'},
}


def chat(**given: Any) -> Fields:
    return to_native("chat", {"messages": HELLO, **given}, "served", "shown").body


def options(**given: Any) -> Fields:
    told: Fields = chat(**given)["options"]
    return told


def refused(dialect: Any = "chat", **given: Any) -> Refusal:
    own: dict[str, Fields] = {
        "chat": {"messages": HELLO},
        "completions": {"prompt": "x"},
        "embeddings": {"input": "x"},
    }
    with pytest.raises(Refusal) as refusal:
        to_native(dialect, own[dialect] | given, "served", "shown")
    assert refusal.value.status == 400
    return refusal.value


def test_nothing_may_be_cut() -> None:
    for dialect, own in (("chat", {"messages": HELLO}), ("completions", {"prompt": "x"})):
        body = to_native(dialect, own, "served", "shown").body  # type: ignore[arg-type]
        assert body["truncate"] is False
        assert body["shift"] is False
    assert to_native("embeddings", {"input": "x"}, "served", "shown").body["truncate"] is False


def test_defaults_are_those_of_its_own_v1() -> None:
    assert options() == {"temperature": 1.0, "top_p": 1.0}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_tokens": 5}, {"num_predict": 5}),
        ({"max_completion_tokens": 6}, {"num_predict": 6}),
        ({"max_tokens": 5, "max_completion_tokens": 4}, {"num_predict": 4}),
        ({"max_tokens": 10**30}, {"num_predict": 2**31 - 1}),
        ({"stop": "x"}, {"stop": ["x"]}),
        ({"stop": list("abcdefghijkl")}, {"stop": list("abcdefghijkl")}),
        ({"stop": []}, {}),
        ({"repetition_penalty": 1.2}, {"repeat_penalty": 1.2}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"top_k": -1, "min_p": 0.1, "typical_p": 1}, {"top_k": -1, "min_p": 0.1, "typical_p": 1}),
        ({"seed": 7, "presence_penalty": -1}, {"seed": 7, "presence_penalty": -1}),
        ({"n": 1, "logit_bias": {}, "logprobs": False, "min_tokens": 0, "user": "me"}, {}),
        ({"n": None, "max_tokens": None, "verbosity": "medium", "tool_choice": "auto"}, {}),
    ],
)
def test_limits_and_sampling(given: Fields, told: Fields) -> None:
    assert options(**given) == {"temperature": 1.0, "top_p": 1.0} | told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2), ("n", True), ("best_of", 3), ("logit_bias", {"5": 1}), ("temperature", "hot"),
        ("temperature", -1), ("max_tokens", 0), ("max_tokens", -1), ("max_tokens", 2.5),
        ("max_tokens", True), ("top_p", 1.5), ("top_k", "many"), ("seed", "x"), ("stop", ""),
        ("stop", ["a", ""]), ("stop", 5), ("stream", "yes"), ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "function": {"name": "weather"}}),
        ("tools", [{"type": "mcp"}]), ("tools", "weather"), ("reasoning_effort", "minimal"),
        ("think", "a lot"), ("top_logprobs", 2), ("logprobs", 1), ("response_format", "json"),
        ("guided_regex", "a+"), ("guided_json", "not JSON"), ("functions", [{"name": "x"}]),
        ("bad_words", ["x"]), ("store", True),
        ("truncate_prompt_tokens", 10), ("continue_final_message", True), ("messages", []),
        ("messages", "hello"), ("messages", ["hello"]), ("repetition_penalty", 0),
        ("never_heard_of_it", 1), ("prompt_logprobs", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused_by_name(field: str, value: Any) -> None:
    refusal = refused(**{field: value})
    assert (refusal.param or "").startswith(field)
    assert field in refusal.message


@pytest.mark.parametrize("name", sorted(fields.CHAT - {"messages", "model"}))
def test_no_allowed_field_is_dropped_untold(name: str) -> None:
    """A value that no field has: it is refused by its name, unless nothing depends on it."""
    if name in {"user", "stream_options"}:
        assert chat(**{name: ["odd", 1]}) == chat()
    elif name in TOLD:
        asked = to_native("chat", {"messages": HELLO, name: ["odd", 1]}, "served", "shown")
        assert (asked.body, asked.ignored) == (chat(), (name,))
    else:
        assert name in (refused(**{name: ["odd", 1]}).param or "")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, "json"),
        (
            {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
            {"type": "object"},
        ),
    ],
)
def test_response_formats(given: Fields, told: Any) -> None:
    assert chat(response_format=given).get("format") == told


def test_other_names_of_a_schema() -> None:
    assert chat(guided_json='{"type": "object"}')["format"] == {"type": "object"}
    assert chat(structured_outputs={"json": {"type": "array"}})["format"] == {"type": "array"}
    assert refused(structured_outputs={"regex": "a"}).param == "structured_outputs.regex"
    both = {"guided_json": {}, "response_format": {"type": "json_object"}}
    assert refused(**both).param == "response_format"
    empty = {"type": "json_schema", "json_schema": {}}
    assert refused(response_format=empty).param == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, None),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "high"}, "high"),
        ({"think": True}, True),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
    ],
)
def test_thinking(given: Fields, told: Any) -> None:
    assert chat(**given).get("think") == told


def test_thinking_twice_is_refused() -> None:
    assert refused(think=True, reasoning_effort="low").param == "reasoning_effort"
    assert refused(chat_template_kwargs={"x": 1}).param == "chat_template_kwargs.x"


def test_tools() -> None:
    assert chat(tools=[TOOL])["tools"] == [TOOL]
    assert "tools" not in chat(tools=[TOOL], tool_choice="none")
    assert chat(parallel_tool_calls=False) == chat()
    assert refused(tools=[TOOL], parallel_tool_calls=False).param == "parallel_tool_calls"
    strict = {"type": "function", "function": {"name": "weather", "strict": True}}
    told = to_native("chat", {"messages": HELLO, "tools": [strict]}, "served", "shown")
    assert told.ignored == ("tools.function.strict",)


def test_a_round_of_tools() -> None:
    messages = [
        {"role": "developer", "content": "Be kind."},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
        {"role": "tool", "tool_call_id": "call_9", "content": "rain"},
        {"role": "user", "content": "So?", "name": "eve"},
    ]
    told = to_native("chat", {"messages": messages}, "served", "shown")
    assert told.body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"function": {"name": "weather", "arguments": {"city": "Köln"}}, "id": "call_9"}
            ],
        },
        {"role": "tool", "content": "rain", "tool_call_id": "call_9", "tool_name": "weather"},
        {"role": "user", "content": "So?"},
    ]
    assert told.ignored == ("messages.name",)


def test_parts_keep_their_order() -> None:
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    content = [
        {"type": "text", "text": "one"}, {"type": "text", "text": "two"}, picture,
        {"type": "text", "text": "[img] three"},
    ]  # fmt: skip
    assert chat(messages=[{"role": "user", "content": content}])["messages"] == [
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "user", "content": "", "images": ["iVBORw0KGgo="]},
        {"role": "user", "content": "[img] three"},
    ]


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ({"role": "user", "content": None}, "content"),
        ({"role": "user", "content": []}, "content"),
        ({"role": "user"}, "content"),
        ({"role": "robot", "content": "x"}, "role"),
        ({"role": "function", "content": "x"}, "role"),
        ({"content": "x"}, "role"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "content[0]"),
        ({"role": "user", "content": ["x"]}, "content[0]"),
        ({"role": "system", "content": [{"type": "image_url", "image_url": PNG}]}, "content[0]"),
        ({"role": "assistant", "tool_calls": [{"id": "x"}]}, "tool_calls[0]"),
        ({"role": "assistant", "function_call": {"name": "x"}, "content": "x"}, "function_call"),
    ],
)
def test_messages_that_are_refused(message: Fields, word: str) -> None:
    assert refused(messages=[message]).param == f"messages[0].{word}"


@pytest.mark.parametrize("arguments", ["[1]", "{", "nothing", 5, "NaN"])
def test_arguments_must_be_an_object(arguments: Any) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "tool_calls": [call]}
    assert refused(messages=[message]).param == "messages[0].tool_calls[0].function.arguments"


@pytest.mark.parametrize(
    "url",
    ["https://example.org/cat.png", "file:///etc/passwd", "data:image/svg+xml;base64,AAAA",
     "data:image/png;base64,???", "data:image/png,AAAA", ""],
)  # fmt: skip
def test_pictures_only_as_data(url: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    refusal = refused(messages=[{"role": "user", "content": content}])
    assert refusal.param == "messages[0].content[0]"
    if url.startswith("https"):
        assert "must be sent as data" in refusal.message


def test_completions() -> None:
    told = to_native("completions", {"prompt": ["x"], "suffix": "y", "logprobs": 0}, "s", "shown")
    assert told.path == "/api/generate"
    assert (told.body["prompt"], told.body["suffix"]) == ("x", "y")
    assert (told.body["logprobs"], told.body["top_logprobs"]) == (True, 0)


@pytest.mark.parametrize("prompt", ["", [], ["a", "b"], [1, 2], [[1]], 5, None, [""], True])
def test_prompts_that_are_refused(prompt: Any) -> None:
    assert refused("completions", prompt=prompt).param == "prompt"


def test_echo_is_refused() -> None:
    assert refused("completions", echo=True).param == "echo"
    assert to_native("completions", {"prompt": "x", "echo": False}, "s", "s").ignored == ()


def test_embeddings() -> None:
    told = to_native("embeddings", {"input": "x", "dimensions": 3}, "served", "shown")
    assert told.path == "/api/embed"
    assert told.body == {"model": "served", "input": ["x"], "truncate": False, "dimensions": 3}


@pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]]])
def test_langchain_is_told_how_to_send_text(tokens: Any) -> None:
    refusal = refused("embeddings", input=tokens)
    assert refusal.param == "input"
    assert "check_embedding_ctx_length=False" in refusal.message


@pytest.mark.parametrize(
    ("field", "value"),
    [("input", []), ("input", None), ("input", [None]), ("input", {}), ("dimensions", 0),
     ("encoding_format", "bogus"), ("dimensions", "3")],
)  # fmt: skip
def test_embeddings_that_are_refused(field: str, value: Any) -> None:
    assert refused("embeddings", **{field: value}).param == field


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["chat", "completions", "embeddings"]),
    st.dictionaries(
        st.sampled_from(sorted(fields.CHAT | fields.COMPLETION | fields.EMBEDDING)), ANYTHING
    ),
)
def test_any_request_is_translated_or_refused(dialect: Any, given: Fields) -> None:
    said: Refusal | None = None
    try:
        to_native(dialect, given, "served", "shown")
    except Refusal as refusal:
        said = refusal
    assert said is None or (said.status == 400 and said.param is not None)
