"""What Ollama's clients read is what the engine said, whatever it said and however it arrived."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import ANSWERS, CUTS, Said, lines, pieces, translated
from synapse_gateway.ollama import Clock, FromNative, from_native

Body = dict[str, Any]

PATHS = st.sampled_from(["/api/chat", "/api/generate", "/api/generate raw"])
OPENS = {"id": "chatcmpl-1", "object": "x", "created": 1, "model": "served"}


def ask(path: str, **more: Any) -> FromNative:
    path, _, raw = path.partition(" ")
    body = {"model": "m", "prompt": "x", "messages": [{"role": "user", "content": "x"}]}
    body.pop("messages" if path == "/api/generate" else "prompt")
    ticks = count(0, 1000)
    clock = Clock(ns=lambda: next(ticks), now=lambda: datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
    return from_native(path, body | ({"raw": True} if raw else {}) | more, clock)


def usage(said: Said) -> Body:
    return {"prompt_tokens": said.read, "completion_tokens": said.written, "total_tokens": 1}


def reason(path: str, said: Said) -> str:
    return "tool_calls" if path == "/api/chat" and said.calls else said.reason


def fragments(said: Said) -> list[Body]:
    """Return the calls as an engine streams them: the name first, then the arguments in pieces."""
    found: list[Body] = []
    for index, call in enumerate(said.calls):
        head = {"name": call.name, "arguments": ""}
        found.append({"index": index, "id": call.id, "type": "function", "function": head})
        text = json.dumps(call.arguments, ensure_ascii=False)
        for start in range(0, len(text), 7):
            part = {"arguments": text[start : start + 7]}
            found.append({"index": index, "function": part})
    return found


def stream(path: str, said: Said) -> bytes:
    if path.endswith("raw"):
        choices: list[Body] = [{"text": word, "finish_reason": None} for word in said.words]
        choices.append({"text": "", "finish_reason": said.reason})
    else:
        deltas: list[Body] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning": piece} for piece in said.thinking]
        deltas += [{"content": word} for word in said.words]
        if path == "/api/chat":
            deltas += [{"tool_calls": [fragment]} for fragment in fragments(said)]
        choices = [{"delta": delta, "finish_reason": None} for delta in deltas]
        choices.append({"delta": {}, "finish_reason": reason(path, said)})
    rows: list[Body] = [OPENS | {"choices": [{"index": 0, **choice}]} for choice in choices]
    rows.append(OPENS | {"choices": [], "usage": usage(said)})
    told = ["data: " + json.dumps(row, ensure_ascii=False) for row in rows]
    told.insert(1, ": waiting")
    return "".join(f"{event}\n\n" for event in [*told, "data: [DONE]"]).encode()


def text_of(row: Body) -> str:
    told: str = row["message"]["content"] if "message" in row else row["response"]
    return told


def thought_of(row: Body) -> str:
    told: str = row.get("message", row).get("thinking", "")
    return told


def calls_of(row: Body) -> list[Body]:
    told: list[Body] = row.get("message", {}).get("tool_calls", [])
    return told


def check_calls(path: str, calls: list[Body], said: Said) -> None:
    expected = said.calls if path == "/api/chat" else []
    assert [call["function"]["index"] for call in calls] == list(range(len(expected)))
    assert [
        (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls
    ] == [(call.id, call.name, call.arguments) for call in expected]


@given(PATHS, ANSWERS, CUTS)
def test_streams(path: str, said: Said, cuts: list[int]) -> None:
    asked = ask(path)
    rows = lines(translated(asked.feed, asked.finish, stream(path, said), cuts))
    assert [row["done"] for row in rows] == [False] * (len(rows) - 1) + [True]
    assert "".join(map(text_of, rows)) == said.text
    assert "".join(map(thought_of, rows)) == ("" if path.endswith("raw") else said.thought)
    check_calls(path, [call for row in rows for call in calls_of(row)], said)
    last = rows[-1]
    called = path == "/api/chat" and said.calls
    assert last["done_reason"] == ("stop" if called else said.reason)
    assert (last["prompt_eval_count"], last["eval_count"]) == (said.read, said.written)
    assert {row["model"] for row in rows} == {"m"}
    assert {row["created_at"] for row in rows} == {"2026-01-02T03:04:05.000006Z"}
    if len(rows) > 1:
        parts = last["prompt_eval_duration"] + last["eval_duration"]
        assert last["total_duration"] == parts


@given(PATHS, ANSWERS)
def test_whole_answers(path: str, said: Said) -> None:
    message: Body = {"role": "assistant", "content": said.text, "reasoning": said.thought}
    if path == "/api/chat":
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in said.calls
        ]
    choice = {"text": said.text} if path.endswith("raw") else {"message": message}
    choices = [{"index": 0, **choice, "finish_reason": reason(path, said)}]
    answer = OPENS | {"choices": choices, "usage": usage(said)}
    row = json.loads(ask(path).whole(json.dumps(answer).encode()))
    assert text_of(row) == said.text
    assert thought_of(row) == ("" if path.endswith("raw") else said.thought)
    check_calls(path, calls_of(row), said)
    assert row["done"] is True
    assert (row["prompt_eval_count"], row["eval_count"]) == (said.read, said.written)
    assert row["total_duration"] == 1000


@given(PATHS, ANSWERS, CUTS, st.integers(0, 100_000))
def test_a_part_of_a_stream_never_looks_whole(
    path: str, said: Said, cuts: list[int], cut: int
) -> None:
    asked = ask(path)
    data = stream(path, said).rstrip(b"\n")
    rows = lines(b"".join(map(asked.feed, pieces(data[: cut % len(data)], cuts))))
    with pytest.raises(ConnectionError):
        asked.finish()
    assert not any(row["done"] for row in rows)


@given(PATHS, ANSWERS, CUTS)
def test_an_error_event_is_told_and_nothing_after_it(
    path: str, said: Said, cuts: list[int]
) -> None:
    asked = ask(path)
    data = b'data: {"error": {"message": "it broke", "code": 500}}\n\n' + stream(path, said)
    assert lines(translated(asked.feed, asked.finish, data, cuts)) == [{"error": "it broke"}]


@pytest.mark.parametrize(
    "event",
    [b"nothing", b"{", b"[1]", b'{"choices": 5}', b'{"choices": [{"index": 1, "delta": {}}]}',
     b'{"choices": [{"delta": {"content": 5}}]}', b'{"choices": [{"delta": 5}]}',
     b'{"choices": [{"index": 0, "delta": {}, "finish_reason": "abort"}]}'],
)  # fmt: skip
def test_a_broken_event_never_looks_whole(event: bytes) -> None:
    with pytest.raises(ConnectionError):
        ask("/api/chat").feed(b"data: " + event + b"\n\n")


def test_done_without_a_reason_is_no_end() -> None:
    with pytest.raises(ConnectionError):
        ask("/api/chat").feed(b"data: [DONE]\n\n")


@pytest.mark.parametrize("arguments", ['{"city": "Ber', "[1]", "5"])
def test_arguments_that_are_no_object_are_no_answer(arguments: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    choice = {"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    with pytest.raises(ConnectionError):
        ask("/api/chat").whole(json.dumps({"choices": [choice]}).encode())


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"choices": []}', b'{"choices": [{"message": {"content": "x"}}]}',
     b'{"error": {"message": "x"}}', b'{"choices": [{"finish_reason": "stop", "message": 5}]}'],
)  # fmt: skip
def test_no_whole_answer(answer: bytes) -> None:
    with pytest.raises(ConnectionError):
        ask("/api/chat").whole(answer)


def test_probabilities_of_both_shapes() -> None:
    tokens = [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]
    chat = {"message": {"content": "a"}, "finish_reason": "stop", "logprobs": {"content": tokens}}
    told = json.loads(ask("/api/chat").whole(json.dumps({"choices": [chat]}).encode()))
    assert told["logprobs"] == tokens
    older = {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -2}]}
    raw = {"text": "a", "finish_reason": "stop", "logprobs": older}
    told = json.loads(ask("/api/generate raw").whole(json.dumps({"choices": [raw]}).encode()))
    others = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -2}]
    assert told["logprobs"] == [{"token": "a", "logprob": -0.5, "top_logprobs": others}]


@given(st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=4), min_size=1, max_size=4))
def test_vectors(vectors: list[list[float]]) -> None:
    rows = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    answer = json.dumps({"data": rows[::-1], "usage": {"prompt_tokens": 3}}).encode()
    asked = from_native("/api/embed", {"model": "m", "input": ["x"] * len(vectors)})
    told = json.loads(asked.whole(answer))
    assert told["embeddings"] == vectors
    assert (told["model"], told["prompt_eval_count"]) == ("m", 3)
    one = from_native("/api/embeddings", {"model": "m", "prompt": "x"})
    first = json.dumps({"data": rows[:1]}).encode()
    assert json.loads(one.whole(first)) == {"embedding": vectors[0]}


@pytest.mark.parametrize("answer", [b"{", b"[]", b'{"data": []}', b'{"data": [{"index": 0}]}'])
def test_no_vectors(answer: bytes) -> None:
    with pytest.raises(ConnectionError):
        from_native("/api/embed", {"model": "m", "input": "x"}).whole(answer)
