"""Native requests to a model that is on Ollama pass, but nothing is cut and nothing steers it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ollama_recorder import FOLDER, load
from spoken import CUTS, pieces
from synapse_common.answers.judges import CutShort, Native
from synapse_common.answers.stream_guard import LineGuard
from synapse_common.refusals import Refusal
from synapse_gateway.ollama import native_through

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


def passed(data: bytes, cuts: list[int]) -> bytes:
    """What leaves of a stream; raises CutShort for one that is not whole."""
    guard = LineGuard(Native(1))
    out = b"".join(guard.feed(piece) for piece in pieces(data, cuts))
    if guard.cut is not None:
        raise guard.cut
    return out + guard.finish()


@pytest.mark.parametrize("name", ["chat stream", "chat logprobs stream", "generate stream"])
@given(CUTS)
def test_a_stream_passes_byte_by_byte(name: str, cuts: list[int]) -> None:
    data = RECORDED[name].text.encode()
    assert passed(data, cuts) == data


@pytest.mark.parametrize("name", ["chat", "generate", "chat load", "embed", "embed empty"])
def test_whole_answers_are_whole(name: str) -> None:
    judge = Native(2 if name == "embed" else 0)
    judge.whole(RECORDED[name].text.encode())
    assert judge.complete


@pytest.mark.parametrize(
    "data",
    [
        RECORDED["generate loop stream"].text.encode(),
        RECORDED["chat stream"].text.encode()[:-200],
        RECORDED["chat stream"].text.encode() * 2,
        b'{"broken\n',
        b'{"done":true}\n',
        b'{"done":true,"done_reason":"novel"}\n',
    ],
    ids=["loop", "cut", "goes-on", "broken", "no-reason", "another-reason"],
)
def test_what_is_not_whole_does_not_pass(data: bytes) -> None:
    with pytest.raises(CutShort):
        passed(data, [])


@pytest.mark.parametrize("told", [RECORDED["generate loop"].text, '{"done":true}', "{}", "[]"])
def test_a_whole_answer_that_does_not_say_that_it_is_one_is_none(told: str) -> None:
    with pytest.raises(CutShort):
        Native(1).whole(told.encode())


def test_an_error_line_is_the_end_of_an_answer() -> None:
    judge = Native(1)
    guard = LineGuard(judge)
    assert guard.feed(b'{"error":"it broke"}\n') == b'{"error":"it broke"}\n'
    assert guard.finish() == b""
    assert judge.failed
