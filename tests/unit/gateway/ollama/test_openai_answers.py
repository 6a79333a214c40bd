"""What OpenAI's clients read is what Ollama said, whatever it said and however it arrived."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_recorder import FOLDER, load
from spoken import ANSWERS, CUTS, Said, events, pieces, translated
from synapse_common.refusals import Refusal
from synapse_gateway.ollama import ToNative, to_native

Body = dict[str, Any]

RECORDED = load(FOLDER / "0.24.0.json")
DIALECTS = st.sampled_from(["chat", "completions"])
OPENS = {"model": "served", "created_at": "2026-11-30T18:11:00.75925273Z"}


def ask(dialect: Any, **more: Any) -> ToNative:
    own: dict[str, Body] = {
        "chat": {"messages": [{"role": "user", "content": "x"}]},
        "completions": {"prompt": "x"},
        "embeddings": {"input": "x"},
    }
    return to_native(dialect, own[dialect] | more, "served", "shown")


def says(dialect: str, text: str = "", thinking: str = "", calls: list[Body] | None = None) -> Body:
    thought = {"thinking": thinking} if thinking else {}
    if dialect == "completions":
        return {"response": text} | thought
    called = {"tool_calls": calls} if calls else {}
    return {"message": {"role": "assistant", "content": text} | thought | called}


def native_calls(said: Said) -> list[Body]:
    return [
        {"id": call.id, "function": {"index": 0, "name": call.name, "arguments": call.arguments}}
        for call in said.calls
    ]


def ending(said: Said) -> Body:
    counts = {"prompt_eval_count": said.read, "eval_count": said.written}
    kept = {key: value for key, value in counts.items() if value}  # Go leaves out a 0
    return {"done": True, "done_reason": said.reason, "total_duration": 5} | kept


def native_stream(dialect: str, said: Said) -> bytes:
    parts = [says(dialect, thinking=piece) for piece in said.thinking]
    parts += [says(dialect, word) for word in said.words]
    if dialect == "chat":
        parts += [says(dialect, calls=[call]) for call in native_calls(said)]
    rows: list[Body] = [OPENS | part | {"done": False} for part in parts]
    rows.append(OPENS | says(dialect) | ending(said))
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def reason(dialect: str, said: Said) -> str:
    called = dialect == "chat" and said.calls and said.reason == "stop"
    return "tool_calls" if called else said.reason


def heard_calls(calls: list[Body]) -> list[tuple[str, str, Any]]:
    return [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in calls
    ]


def said_calls(dialect: str, said: Said) -> list[tuple[str, str, Any]]:
    calls = said.calls if dialect == "chat" else []
    return [(call.id, call.name, call.arguments) for call in calls]


@given(DIALECTS, ANSWERS, CUTS)
def test_streams(dialect: str, said: Said, cuts: list[int]) -> None:
    asked = ask(dialect, stream=True)
    data = native_stream(dialect, said)
    *told, usage, done = events(translated(asked.feed, asked.finish, data, cuts))
    assert done == "[DONE]"
    assert usage["choices"] == []
    total = said.read + said.written
    assert usage["usage"] == {
        "prompt_tokens": said.read,
        "completion_tokens": said.written,
        "total_tokens": total,
    }
    assert len({(event["id"], event["created"], event["model"]) for event in told}) == 1
    choices = [event["choices"][0] for event in told]
    assert [choice["finish_reason"] for choice in choices[:-1]] == [None] * (len(choices) - 1)
    assert choices[-1]["finish_reason"] == reason(dialect, said)
    deltas = [choice.get("delta", choice) for choice in choices]
    key = "content" if dialect == "chat" else "text"
    assert "".join(delta.get(key, "") for delta in deltas) == said.text
    assert "".join(delta.get("reasoning", "") for delta in deltas) == said.thought
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [call["index"] for call in calls] == list(range(len(calls)))
    assert heard_calls(calls) == said_calls(dialect, said)
    if dialect == "chat":
        assert choices[0]["delta"] == {"role": "assistant", "content": ""}


@given(DIALECTS, ANSWERS)
def test_whole_answers(dialect: str, said: Said) -> None:
    calls = native_calls(said) if dialect == "chat" else []
    native = OPENS | says(dialect, said.text, said.thought, calls) | ending(said)
    told = json.loads(ask(dialect).whole(json.dumps(native, ensure_ascii=False).encode()))
    choice = told["choices"][0]
    message = choice.get("message", choice)
    assert (message.get("content" if dialect == "chat" else "text") or "") == said.text
    assert message.get("reasoning", "") == said.thought
    assert heard_calls(message.get("tool_calls", [])) == said_calls(dialect, said)
    assert choice["finish_reason"] == reason(dialect, said)
    assert told["model"] == "shown"
    assert told["usage"]["total_tokens"] == said.read + said.written


@given(DIALECTS, ANSWERS, CUTS, st.integers(0, 100_000))
def test_a_part_of_a_stream_never_looks_whole(
    dialect: str, said: Said, cuts: list[int], cut: int
) -> None:
    asked = ask(dialect, stream=True)
    data = native_stream(dialect, said).rstrip(b"\n")
    told = events(b"".join(map(asked.feed, pieces(data[: cut % len(data)], cuts))))
    with pytest.raises(ConnectionError):
        asked.finish()
    assert "[DONE]" not in told
    assert not any(event["choices"][0]["finish_reason"] for event in told)


@given(DIALECTS, ANSWERS, CUTS, st.binary(min_size=1, max_size=20))
def test_a_broken_line_never_looks_whole(
    dialect: str, said: Said, cuts: list[int], rubbish: bytes
) -> None:
    asked = ask(dialect, stream=True)
    data = b'{"' + rubbish.replace(b"\n", b"") + b"\n" + native_stream(dialect, said)
    with pytest.raises(ConnectionError):
        translated(asked.feed, asked.finish, data, cuts)


@given(DIALECTS, ANSWERS, CUTS)
def test_an_error_line_is_told_and_nothing_after_it(
    dialect: str, said: Said, cuts: list[int]
) -> None:
    asked = ask(dialect, stream=True)
    *begun, last, _ = native_stream(dialect, said).split(b"\n")
    data = b"\n".join([*begun, b'{"error":"it \\"broke\\""}', last, b""])
    told = events(translated(asked.feed, asked.finish, data, cuts))
    assert told[-1]["error"]["message"] == 'it "broke"'
    assert told[-1]["error"]["type"] == "server_error"


@pytest.mark.parametrize("why", ["load", "unload", "", "connection closed", None, 5])
def test_no_reason_is_invented(why: Any) -> None:
    for dialect in ("chat", "completions"):
        native = OPENS | says(dialect, "x") | {"done": True, "done_reason": why}
        data = json.dumps(native).encode() + b"\n"
        with pytest.raises(ConnectionError):
            ask(dialect).whole(data)
        with pytest.raises(ConnectionError):
            ask(dialect, stream=True).feed(data)


def test_the_break_after_30_equal_tokens_is_no_end() -> None:
    with pytest.raises(ConnectionError, match="without saying why"):
        ask("completions").whole(RECORDED["generate loop"].text.encode())
    asked = ask("completions", stream=True)
    asked.feed(RECORDED["generate loop stream"].text.encode())
    with pytest.raises(ConnectionError, match="broke off"):
        asked.finish()


def test_more_after_the_end_is_no_answer() -> None:
    asked = ask("chat", stream=True)
    whole = RECORDED["chat stream"].text.encode()
    asked.feed(whole)
    with pytest.raises(ConnectionError):
        asked.feed(whole)


def test_recorded_tools_thinking_and_probabilities() -> None:
    for name in ("chat tools", "chat thinking", "chat logprobs"):
        whole = json.loads(ask("chat").whole(RECORDED[name].text.encode()))["choices"][0]
        asked = ask("chat", stream=True)
        data = RECORDED[f"{name} stream"].text.encode()
        choices = [
            event["choices"][0]
            for event in events(translated(asked.feed, asked.finish, data, []))[:-2]
        ]
        deltas = [choice["delta"] for choice in choices]
        message = whole["message"]
        assert "".join(delta.get("content", "") for delta in deltas) == (message["content"] or "")
        thought = "".join(delta.get("reasoning", "") for delta in deltas)
        assert thought == message.get("reasoning", "")
        calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
        assert [call["function"] for call in calls] == [
            call["function"] for call in message.get("tool_calls", ())
        ]
        assert choices[-1]["finish_reason"] == whole["finish_reason"]
        tokens = [
            token for choice in choices for token in (choice["logprobs"] or {}).get("content", ())
        ]
        assert tokens == (whole["logprobs"] or {}).get("content", [])
    assert message["content"] == "".join(token["token"] for token in tokens)


FLOATS = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8)


@given(st.lists(FLOATS, min_size=1, max_size=3), st.booleans())
def test_vectors_keep_their_numbers(vectors: list[list[float]], as_base64: bool) -> None:
    inputs = ["x"] * len(vectors)
    form = "base64" if as_base64 else "float"
    asked = to_native("embeddings", {"input": inputs, "encoding_format": form}, "served", "shown")
    native = {"model": "served", "embeddings": vectors, "prompt_eval_count": 3}
    told = json.loads(asked.whole(json.dumps(native).encode()))
    heard = [row["embedding"] for row in told["data"]]
    if as_base64:
        heard = [
            list(struct.unpack(f"<{len(data) // 4}f", data))
            for data in map(base64.b64decode, heard)
        ]
    assert heard == vectors
    assert [row["index"] for row in told["data"]] == list(range(len(vectors)))
    assert told["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_numbers_are_written_as_they_came() -> None:
    data = json.loads(RECORDED["embed"].text)
    asked = to_native("embeddings", {"input": ["a", "b"]}, "served", "shown")
    told = asked.whole(RECORDED["embed"].text.encode()).decode()
    for number in (number for vector in data["embeddings"] for number in vector):
        assert repr(number) in told


def test_vectors_that_are_missing_or_too_short() -> None:
    payload = RECORDED["embed"].text.encode()
    with pytest.raises(ConnectionError):
        ask("embeddings").whole(payload)
    asked = to_native("embeddings", {"input": ["a", "b"], "dimensions": 4}, "served", "shown")
    with pytest.raises(Refusal, match="at most 3"):
        asked.whole(payload)
    with pytest.raises(ConnectionError):
        ask("embeddings").whole(b'{"embeddings":[["x"]]}'.replace(b'"x"', b""))
