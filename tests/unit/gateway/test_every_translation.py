"""What a client reads is what the engine said, where the gateway writes the answer anew."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversing import (
    CHAT,
    COMPLETIONS,
    MODELS,
    REWRITTEN,
    ask,
    heard_stream,
    heard_whole,
    meant,
    stream,
    whole,
)
from relayed import Says, relay, request
from spoken import ANSWERS, CUTS, LOOKS_LIKE_PROTOCOL, TEXTS, Call, Said, pieces

FEW = settings(max_examples=60)
WAYS = st.sampled_from(sorted(REWRITTEN))


@FEW
@given(WAYS, ANSWERS, CUTS)
def test_a_stream_says_what_the_engine_said(
    way: tuple[str, str], said: Said, cuts: list[int]
) -> None:
    engine, path = way
    out = ask(engine, path, pieces(stream(way, said), cuts), {"stream": True})
    assert out.is_whole
    assert heard_stream(path, out.heard) == meant(path, said)
    assert out.record.tokens == said.read + said.written


@FEW
@given(WAYS, ANSWERS, CUTS)
def test_a_whole_answer_says_what_the_engine_said(
    way: tuple[str, str], said: Said, cuts: list[int]
) -> None:
    engine, path = way
    out = ask(engine, path, pieces(whole(way, said), cuts), {"stream": False})
    assert out.is_whole
    assert heard_whole(path, out.heard) == meant(path, said)
    assert out.record.tokens == said.read + said.written


@pytest.mark.parametrize("way", sorted(REWRITTEN))
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_text_that_looks_like_protocol_is_text(way: tuple[str, str], size: int) -> None:
    engine, path = way
    calls = [Call("1", "f", {text: text}) for text in LOOKS_LIKE_PROTOCOL]
    said = Said(LOOKS_LIKE_PROTOCOL, LOOKS_LIKE_PROTOCOL, calls, "stop", 7, 4)
    for streamed, told, heard in ((True, stream, heard_stream), (False, whole, heard_whole)):
        data = told(way, said)
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        out = ask(engine, path, parts, {"stream": streamed})
        assert (out.is_whole, heard(path, out.heard)) == (True, meant(path, said))


@FEW
@given(st.sampled_from(["vllm", "ollama"]), st.sampled_from([CHAT, "/api/chat"]), TEXTS)
def test_the_engine_reads_what_the_client_asks(engine: str, path: str, prompt: str) -> None:
    out = ask(engine, path, [], {"messages": [{"role": "user", "content": prompt}]})
    assert [each["content"] for each in out.sent[0].body["messages"]] == [prompt]


@pytest.mark.parametrize("path", ["/api/generate", COMPLETIONS])
@pytest.mark.parametrize("engine", ["vllm", "ollama"])
@FEW
@given(st.text(min_size=1, max_size=8))
def test_the_engine_reads_the_prompt(engine: str, path: str, prompt: str) -> None:
    known = MODELS[engine]
    asked = request(path, {"model": "m", "prompt": prompt}, known)
    body = relay(asked, {"m": Says([])}, known).sent[0].body
    assert (body.get("prompt") or body["messages"][-1]["content"]) == prompt
