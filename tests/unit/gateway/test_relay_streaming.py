"""A stream on its way: what says nothing yet is held back, and an error's end is the only one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

import faithful_ollama
from faithful_vllm import DONE
from faithful_vllm import stream as vllm_stream
from relayed import Relayed, Says, config, model, relay, request
from spoken import Said, events, lines
from synapse_common.answers.lists import CONTAINERS_AT_MOST
from synapse_common.answers.stream_guard import LONGEST_EVENT
from synapse_gateway.relay.streaming import HELD_AT_MOST

Body = dict[str, Any]

KNOWN = config(
    model("m", "vllm", "b", via_arbiter=True), model("b", "vllm"), model("alone", "vllm"),
    model("on-cpu", "ollama", "b"),
)  # fmt: skip
SAID = Said(thinking=[], words=["Hello", " you"], calls=[], reason="stop", read=7, written=4)
BODIES: dict[str, Body] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}]},
}
UNSAID = {"/v1/chat/completions": 1, "/v1/completions": 0, "/v1/responses": 1, "/v1/messages": 1}
"""Events at the beginning that say nothing yet."""
EVERY_PATH = pytest.mark.parametrize("path", BODIES)
WAITED = b': {"x-synapse-waited": "1.5", "x-synapse-woke": "true"}\n\n'
BY_B = b': {"x-synapse-model": "b", "x-synapse-engine": "vllm"}\n\n'
ERROR = b'data: {"error": {"message": "EngineCore died", "code": 500}}\n\n'


def ask(path: str, name: str = "m", **answers: Sequence[bytes | Exception]) -> Relayed:
    asked = request(path, {"model": name, **BODIES[path], "stream": True}, KNOWN)
    told = {each.replace("_", "-"): Says(parts) for each, parts in answers.items()}
    return relay(asked, told, KNOWN)


def stream(path: str) -> list[bytes]:
    """Return the events that the client shall read."""
    told = vllm_stream(path, [SAID], [])
    return [event for event in told if b'"choices":[],' not in event]


@EVERY_PATH
@pytest.mark.parametrize("cut", [True, False], ids=["dies", "ends"])
@pytest.mark.parametrize("together", [True, False], ids=["one-read", "two-reads"])
def test_what_says_nothing_is_held_until_a_model_speaks(
    path: str, cut: bool, together: bool
) -> None:
    whole, unsaid = b"".join(stream(path)), b"".join(stream(path)[: UNSAID[path]])
    parts: list[bytes | Exception] = [WAITED + unsaid] if together else [WAITED, unsaid]
    parts += [aiohttp.ClientPayloadError()] if cut else []
    out = ask(path, m=parts, b=[whole])
    assert out.is_whole
    assert [each.model.name for each in out.sent] == ["m", "b"]
    assert out.heard.replace(WAITED, b"").replace(BY_B, b"") == whole, (
        "the client reads one beginning, not two"
    )
    assert out.heard.index(BY_B) == len(WAITED), "a fallback says its name where no header can"


@EVERY_PATH
def test_comments_reach_a_client_that_waits(path: str) -> None:
    out = ask(path, m=[b": ping\n\n", b": ping\n\n" + WAITED, *stream(path)])
    assert out.is_whole
    assert out.heard == b": ping\n\n" * 2 + WAITED + b"".join(stream(path))
    assert (out.record.waited_s, out.record.woke) == (1.5, True)


@EVERY_PATH
@pytest.mark.parametrize("behind", [b"", DONE, b": bye\n\n"])
@pytest.mark.parametrize("together", [True, False], ids=["one-read", "two-reads"])
def test_behind_an_engines_error_nothing_is_passed_on(
    path: str, behind: bytes, together: bool
) -> None:
    said = b"".join(stream(path)[: UNSAID[path] + 2])
    parts: list[bytes | Exception] = [said + ERROR + behind] if together else [said, ERROR + behind]
    out = ask(path, m=parts)
    assert out.heard.startswith(said)
    assert b"[DONE]" not in out.heard
    assert b"EngineCore" not in out.heard
    assert (out.record.status, out.record.error) == (502, "answer_interrupted")


@EVERY_PATH
@pytest.mark.parametrize("said", [True, False])
def test_an_error_without_its_last_line_is_an_error(path: str, said: bool) -> None:
    told = stream(path)[: UNSAID[path] + 2] if said else []
    out = ask(path, m=[*told, ERROR.rstrip()], b=stream(path))
    assert out.is_whole != said
    assert (b"answer_interrupted" in out.heard) == said


def test_a_mistake_that_is_told_inside_a_stream_is_final() -> None:
    refused = ERROR.replace(b"500", b"400")
    out = ask("/v1/completions", m=[refused, DONE], b=stream("/v1/completions"))
    assert out.refusal is not None
    assert (out.status, json.loads(out.heard)["error"]["message"]) == (400, "EngineCore died")
    assert [each.model.name for each in out.sent] == ["m"]


def test_a_stream_of_ollama_that_breaks_off_in_words_is_replaced_before_they_came() -> None:
    whole = stream("/v1/chat/completions")
    out = ask(
        "/v1/chat/completions", "on-cpu", on_cpu=[b'{"error":"llama runner died"}\n'], b=whole
    )
    assert out.heard == b"".join(whole)
    first = faithful_ollama.stream("/api/chat", SAID)[0]
    out = ask("/v1/chat/completions", "on-cpu", on_cpu=[first, b'{"error":"runner died"}\n'])
    *told, last = events(out.heard)
    assert told[-1]["choices"][0]["delta"] == {"content": "Hello"}
    assert last["error"]["code"] == "answer_interrupted"
    assert b"runner" not in out.heard


def test_ollamas_clients_hear_an_error_as_the_last_line() -> None:
    body = {"model": "alone", "messages": [{"role": "user", "content": "hi"}]}
    told = stream("/v1/chat/completions")[:3]
    asked = request("/api/chat", body, KNOWN)
    out = relay(asked, {"alone": Says([*told, ERROR, DONE])}, KNOWN)
    *said, last = lines(out.heard)
    assert [line["message"]["content"] for line in said] == ["Hello", " you"]
    assert list(last) == ["error"]


@EVERY_PATH
def test_who_serves_is_told_where_it_is_known_in_time(path: str) -> None:
    assert ask(path, m=stream(path)).headers["x-synapse-model"] == "m"
    assert ask(path, m=[aiohttp.ClientPayloadError()], b=stream(path)).headers[
        "x-synapse-model"
    ] == "b"  # fmt: skip
    assert "x-synapse-model" not in ask(path, m=[WAITED], b=stream(path)).headers


def test_events_that_say_nothing_are_not_held_without_end() -> None:
    silent = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
    parts = [silent * (HELD_AT_MOST // len(silent) // 4)] * 5
    out = ask("/v1/chat/completions", m=parts, b=[b"".join(stream("/v1/chat/completions"))])
    assert out.is_whole
    assert out.record.reason == "answer_too_large"


def test_an_event_without_end_is_a_reason_for_a_fallback() -> None:
    parts = [b"data: " + b"x" * 1024**2] * (LONGEST_EVENT // 1024**2 + 1)
    out = ask("/v1/chat/completions", m=parts, b=[b"".join(stream("/v1/chat/completions"))])
    assert out.is_whole
    assert out.record.reason == "answer_too_large"


def test_an_event_that_takes_long_to_parse_is_a_reason_for_a_fallback() -> None:
    lists = b"[]," * CONTAINERS_AT_MOST
    parts = [b'data: {"choices":[], "all":[' + lists + b"[]]}\n\n"]
    out = ask("/v1/chat/completions", m=parts, b=[b"".join(stream("/v1/chat/completions"))])
    assert out.is_whole
    assert out.record.reason == "answer_too_large"
