"""Native requests to a model that is on Ollama pass, but nothing is cut and nothing steers it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from ollama_recorder import FOLDER, load
from spoken import CUTS, lines, translated
from synapse_common.refusals import Refusal
from synapse_gateway.ollama import Passing, native_through

RECORDED = load(FOLDER / "0.24.0.json")
HELLO = [{"role": "user", "content": "Hello"}]


def test_a_chat_passes_but_may_not_be_cut() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = {"model": "m", "messages": HELLO, "tools": tools, "think": False, "stream": False}
    told, ignored = native_through("/api/chat", body, "served")
    assert told == body | {"model": "served", "truncate": False, "shift": False}
    assert ignored == ()


def test_vectors_pass() -> None:
    embed = native_through("/api/embed", {"model": "m", "input": ["a"], "dimensions": 3}, "served")
    assert embed == (
        {"model": "served", "input": ["a"], "dimensions": 3, "truncate": False},
        (),
    )
    older = native_through("/api/embeddings", {"model": "m", "prompt": "a"}, "served")
    assert older == ({"model": "served", "prompt": "a"}, ())


def test_only_sampling_options_pass_and_the_rest_is_told() -> None:
    options = {"num_predict": 5, "typical_p": 0.5, "repeat_last_n": 5, "num_ctx": 1, "mirostat": 1}
    body = {"model": "m", "messages": HELLO, "options": options, "keep_alive": -1, "novel": 1}
    told, ignored = native_through("/api/chat", body | {"truncate": True}, "served")
    assert told["options"] == {"num_predict": 5, "typical_p": 0.5, "repeat_last_n": 5}
    assert sorted(ignored) == [
        "keep_alive", "novel", "options.mirostat", "options.num_ctx", "truncate",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"options": {"num_predict": 2.5}}, "options.num_predict"),
        ({"options": {"stop": [""]}}, "options.stop"),
        ({"options": {"invented": 1}}, "options.invented"),
        ({"template": "{{ .Prompt }}"}, "template"),
        ({"_debug_render_only": True}, "_debug_render_only"),
        ({"shift": "no"}, "shift"),
        ({"model": 5}, "model"),
    ],
)
def test_what_is_refused(given: dict[str, Any], param: str) -> None:
    with pytest.raises(Refusal) as refusal:
        native_through("/api/generate", {"model": "m", "prompt": "x", **given}, "served")
    assert (refusal.value.status, refusal.value.param) == (400, param)


@given(CUTS)
def test_a_stream_passes_with_the_public_name(cuts: list[int]) -> None:
    passing = Passing("/api/chat", "shown", stream=True)
    data = RECORDED["chat logprobs stream"].text.encode()
    told = lines(translated(passing.feed, passing.finish, data, cuts))
    assert told == [row | {"model": "shown"} for row in lines(data)]


def test_whole_answers_pass() -> None:
    for name in ("chat", "generate", "chat load", "embed", "embed empty"):
        recorded = RECORDED[name]
        told = json.loads(Passing(recorded.path, "shown").whole(recorded.text.encode()))
        assert told == json.loads(recorded.text) | {"model": "shown"}
    assert Passing("/api/embeddings", "shown").whole(b'{"embedding": [1]}') == b'{"embedding":[1]}'


def test_what_is_not_whole_does_not_pass() -> None:
    loop = RECORDED["generate loop"].text.encode()
    with pytest.raises(ConnectionError):
        Passing("/api/generate", "shown").whole(loop)
    passing = Passing("/api/generate", "shown", stream=True)
    passing.feed(RECORDED["generate loop stream"].text.encode())
    with pytest.raises(ConnectionError):
        passing.finish()
    with pytest.raises(ConnectionError):
        Passing("/api/chat", "shown", stream=True).feed(b'{"broken\n')


def test_an_error_line_passes_and_ends_the_answer() -> None:
    passing = Passing("/api/chat", "shown", stream=True)
    assert passing.feed(b'{"error":"it broke"}\n') == b'{"error":"it broke"}\n'
    assert passing.finish() == b""
