"""What a client reads is what the engine said, in every dialect that the engine speaks itself.

Models say anything, also what looks like protocol, and bytes come in any pieces. Everything between
the engine's bytes and the client's is the gateway's own.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faithful_ollama
import faithful_vllm
from conversing import COMPLETIONS, MODELS, OPENAIS, STRAIGHT, ask
from faithful_vllm import VECTORS, counts
from relayed import Says, relay, request
from spoken import ANSWERS, CUTS, LOOKS_LIKE_PROTOCOL, TEXTS, Said, pieces

Body = dict[str, Any]

FEW = settings(max_examples=40)
"""Enough for each run, since all tests share the ways in which answers come in."""
PATHS = st.sampled_from(STRAIGHT)
SEVERAL = st.lists(ANSWERS, min_size=1, max_size=3)
ORDER = st.lists(st.integers(0, 5), max_size=20)


@FEW
@given(PATHS, SEVERAL, ORDER, CUTS, st.booleans(), st.booleans())
def test_a_stream_passes_byte_by_byte(
    path: str, several: list[Said], order: list[int], cuts: list[int], wanted: bool, pings: bool
) -> None:
    choices, more, unasked = several[:1], {}, b""
    if path in OPENAIS:
        choices, more = several, {"n": len(several), "stream_options": {"include_usage": wanted}}
        unasked = b"" if wanted else counts(choices)
    told = faithful_vllm.stream(path, choices, order)
    stream = b": ping\n\n".join([b"", *told]) if pings else b"".join(told)
    out = ask("vllm", path, pieces(stream, cuts), {"stream": True, **more})
    assert out.is_whole
    assert out.heard == (stream.replace(unasked, b"") if unasked else stream)
    assert (out.record.tokens_in or 0) == choices[0].read
    written = sum(said.written for said in choices) + (path not in OPENAIS)
    assert out.record.tokens_out == written


@pytest.mark.parametrize("path", STRAIGHT)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_text_that_looks_like_protocol_is_text(path: str, size: int) -> None:
    said = Said(LOOKS_LIKE_PROTOCOL, LOOKS_LIKE_PROTOCOL, [], "stop", 7, 4)
    told = b"".join(faithful_vllm.stream(path, [said], []))
    parts = [told[at : at + size] for at in range(0, len(told), size)]
    out = ask("vllm", path, parts, {"stream": True, "stream_options": {"include_usage": True}})
    assert (out.is_whole, out.heard) == (True, told)


@FEW
@given(PATHS, SEVERAL, CUTS)
def test_a_whole_answer_passes_byte_by_byte(
    path: str, several: list[Said], cuts: list[int]
) -> None:
    choices = several if path in OPENAIS else several[:1]
    body = faithful_vllm.whole(path, choices)
    out = ask("vllm", path, pieces(body, cuts), {"n": len(choices)} if path in OPENAIS else {})
    assert out.is_whole
    assert out.heard == body


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=3), SEVERAL, ORDER, CUTS)
def test_as_many_choices_as_prompts_and_n_ask_for(
    prompts: list[str], several: list[Said], order: list[int], cuts: list[int]
) -> None:
    choices, known = several * len(prompts), MODELS["vllm"]
    body = {"model": "m", "prompt": prompts, "n": len(several), "stream": True}
    for less in (0, 1) if len(choices) > 1 else (0,):
        told = pieces(b"".join(faithful_vllm.stream(COMPLETIONS, choices[less:], order)), cuts)
        out = relay(request(COMPLETIONS, body, known), {"m": Says([*told])}, known)
        assert out.is_whole == (less == 0)
        assert out.sent[0].body["prompt"] == prompts


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
@pytest.mark.parametrize("engine", ["vllm", "ollama"])
@FEW
@given(CUTS, st.floats(0, 1, exclude_max=True))
def test_vectors_come_whole_and_each_number_as_it_was(
    path: str, engine: str, cuts: list[int], share: float
) -> None:
    known = MODELS[engine]
    body = (faithful_ollama if engine == "ollama" else faithful_vllm).vectors()
    asked = request(path, {"model": "v", "input": ["hi", "ho"]}, known)
    out = relay(asked, {"v": Says([*pieces(body, cuts)])}, known)
    told = json.loads(out.heard)
    found = told.get("embeddings") or [each["embedding"] for each in told["data"]]
    assert (out.is_whole, found) == (True, VECTORS)
    part = relay(asked, {"v": Says([body[: int(share * len(body))]])}, known)
    assert not part.is_whole


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=4), st.data(), CUTS)
def test_ranks_pass_byte_by_byte(
    documents: list[str], data: st.DataObject, cuts: list[int]
) -> None:
    known = MODELS["vllm"]
    size = len(documents)
    scores = data.draw(st.lists(st.floats(-5, 5), min_size=size, max_size=size))
    results = [
        {"index": index, "document": {"text": text}, "relevance_score": score}
        for index, (text, score) in enumerate(zip(documents, scores, strict=True))
    ]
    body = json.dumps({"results": results}).encode()
    asked = request("/v1/rerank", {"model": "r", "query": "hi", "documents": documents}, known)
    out = relay(asked, {"r": Says([*pieces(body, cuts)])}, known)
    assert (out.is_whole, out.heard) == (True, body)
    assert out.sent[0].body["documents"] == documents
