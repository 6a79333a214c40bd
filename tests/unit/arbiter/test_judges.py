"""When an answer is whole, in every dialect: what vLLM writes, and what it leaves out."""

import json
from typing import Any

import pytest

from harness.vllm_answers import (
    ABORT,
    BLOCK,
    COMPLETED,
    COUNTS,
    CREATED,
    DELTA,
    DONE,
    LENGTH,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_ERROR,
    OWN_ERROR,
    ROLE,
    STOP,
    STOPPED_BY_ABORT,
    TOOL,
    WORD,
    body,
    chunk,
    event,
    message,
    message_body,
    message_end,
    response,
    response_end,
    text,
)
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.answers.judges import CutShort, Judge
from synapse_common.answers.stream_guard import StreamGuard

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
WHOLE, CUT, ABORTED = "whole", "answer_truncated", "engine_aborted"


def verdict(judge: Judge) -> str:
    """Say what is known of an answer that was not refused."""
    return "failed" if judge.failed else "doubtful" if judge.doubtful else WHOLE


def streamed(path: str, stream: bytes, answers: int = 1) -> str:
    """Judge a stream."""
    judge = ENDPOINTS[path].judge(answers)
    guard = StreamGuard(judge)
    guard.feed(stream)
    try:
        if guard.cut is not None:
            raise guard.cut
        guard.finish()
    except CutShort as cut:
        return cut.code
    return verdict(judge)


def in_one_piece(path: str, payload: bytes, answers: int = 1) -> str:
    """Judge a body."""
    judge = ENDPOINTS[path].judge(answers)
    try:
        judge.whole(payload)
    except CutShort as cut:
        return cut.code
    return verdict(judge)


@pytest.mark.parametrize(
    ("path", "stream", "expected"),
    [
        (CHAT, ROLE + WORD + STOP + DONE, WHOLE),
        (CHAT, ROLE + WORD + LENGTH + COUNTS + DONE, WHOLE),
        (CHAT, ROLE + TOOL + DONE, WHOLE),
        (CHAT, ROLE + chunk({"content": ""}, "repetition") + DONE, WHOLE),
        (CHAT, ROLE + STOPPED_BY_ABORT + DONE, WHOLE),
        (CHAT, ROLE + WORD + ABORT + DONE, ABORTED),
        (CHAT, ROLE + chunk({"content": ""}, "error") + DONE, ABORTED),
        (CHAT, ROLE + DONE, CUT),
        (CHAT, ROLE + COUNTS + DONE, CUT),
        (CHAT, DONE, CUT),
        (CHAT, ROLE + WORD + STOP, CUT),
        (CHAT, ROLE + STOP + chunk({"content": "x"}, index=1) + DONE, CUT),
        (CHAT, ROLE + OWN_ERROR + DONE, "failed"),
        (CHAT, event({"choices": [7]}) + DONE, CUT),
        (COMPLETIONS, text("a") + text("b", "length") + COUNTS + DONE, WHOLE),
        (COMPLETIONS, text("a") + text("", "abort") + DONE, ABORTED),
        (COMPLETIONS, DONE, CUT),
        (MESSAGES, MESSAGE + BLOCK + MESSAGE_END, WHOLE),
        (MESSAGES, MESSAGE + message_end({"stop_reason": "end_turn"}, 1), WHOLE),
        (MESSAGES, MESSAGE + BLOCK + message_end({"stop_reason": "max_tokens"}), WHOLE),
        (MESSAGES, MESSAGE + BLOCK + message_end({"stop_reason": "stop_sequence"}), WHOLE),
        (MESSAGES, MESSAGE + BLOCK + message_end({"stop_reason": None}), ABORTED),
        (MESSAGES, MESSAGE + BLOCK + message_end({}), ABORTED),
        (MESSAGES, MESSAGE + message_end({"stop_reason": "end_turn"}, 0), ABORTED),
        (MESSAGES, MESSAGE + BLOCK + message_end({"stop_reason": "end_turn"}, 0), ABORTED),
        (MESSAGES, MESSAGE + BLOCK + message_end({"stop_reason": "end_turn"}, None), WHOLE),
        (MESSAGES, MESSAGE + BLOCK + message("message_stop"), CUT),
        (MESSAGES, MESSAGE + BLOCK + MESSAGE_END.partition(b"event: message_stop")[0], CUT),
        (MESSAGES, MESSAGE + BLOCK + MESSAGE_ERROR, "failed"),
        (RESPONSES, CREATED + DELTA + COMPLETED, "doubtful"),
        (RESPONSES, CREATED + response_end("response.completed", "incomplete"), WHOLE),
        (RESPONSES, CREATED + response_end("response.incomplete", "incomplete"), WHOLE),
        (RESPONSES, CREATED + response_end("response.failed", "failed"), "failed"),
        (RESPONSES, CREATED + event({"type": "error", "message": "dead"}, "error"), "failed"),
        (
            RESPONSES,
            CREATED + response_end("response.completed", "completed", tokens=0, output=False),
            ABORTED,
        ),
        (RESPONSES, CREATED + DELTA, CUT),
        ("/v1/audio/transcriptions", chunk({"content": "hi"}) + DONE, WHOLE),
        ("/v1/audio/transcriptions", chunk({"content": "hi"}), CUT),
        ("/v1/audio/transcriptions", chunk({"content": "hi"}, "abort") + DONE, ABORTED),
        ("/v1/audio/speech", b"sound that is no event", WHOLE),
        ("/v1/embeddings", event({"data": [{}]}), CUT),
    ],
)
def test_a_stream_is_whole_only_when_it_says_so(path: str, stream: bytes, expected: str) -> None:
    assert streamed(path, stream) == expected


@pytest.mark.parametrize(
    ("path", "payload", "expected"),
    [
        (CHAT, body("stop"), WHOLE),
        (CHAT, body("tool_calls"), WHOLE),
        (CHAT, body("stop", stop_reason="abort"), WHOLE),
        (CHAT, body("abort"), ABORTED),
        (CHAT, body(None), CUT),
        (CHAT, body(), CUT),
        (CHAT, b'{"error": {"message": "dead"}}', CUT),
        (CHAT, b"[]", CUT),
        (CHAT, b"OK", CUT),
        (COMPLETIONS, body("length"), WHOLE),
        (COMPLETIONS, body("abort"), ABORTED),
        (MESSAGES, message_body(stop_reason="end_turn"), WHOLE),
        (MESSAGES, message_body(1, content=False, stop_reason="end_turn"), WHOLE),
        (MESSAGES, message_body(), ABORTED),
        (MESSAGES, message_body(stop_reason=None), ABORTED),
        (MESSAGES, message_body(0, content=False, stop_reason="end_turn"), ABORTED),
        (MESSAGES, message_body(0, stop_reason="end_turn"), ABORTED),
        (MESSAGES, message_body(None, stop_reason="end_turn"), WHOLE),
        (MESSAGES, message_body(None, content=False, stop_reason="end_turn"), ABORTED),
        (RESPONSES, json.dumps(response("completed")).encode(), "doubtful"),
        (RESPONSES, json.dumps(response("incomplete")).encode(), WHOLE),
        (RESPONSES, json.dumps(response("failed")).encode(), "failed"),
        (RESPONSES, json.dumps(response("completed", 0, False)).encode(), ABORTED),
        (RESPONSES, json.dumps(response("queued", 0, False)).encode(), CUT),
        ("/v1/embeddings", b'{"data": [{"embedding": [0.5]}]}', WHOLE),
        ("/v1/embeddings", b'{"data": []}', CUT),
        ("/v1/rerank", b'{"results": [{"index": 0, "relevance_score": 0.5}]}', WHOLE),
        ("/v1/rerank", b'{"results": []}', CUT),
        ("/v1/score", b'{"data": [{"index": 0, "score": 0.5}]}', WHOLE),
        ("/v1/score", b"{}", CUT),
        ("/v1/audio/transcriptions", b"WEBVTT", WHOLE),
        ("/v1/audio/speech", b"\x00\x01", WHOLE),
    ],
)
def test_a_body_is_whole_only_when_it_says_so(path: str, payload: bytes, expected: str) -> None:
    assert in_one_piece(path, payload) == expected


def test_every_choice_that_was_asked_for_must_end() -> None:
    second = chunk({"content": "x"}, "length", index=1)
    assert streamed(CHAT, ROLE + STOP + DONE, answers=2) == CUT
    assert streamed(CHAT, ROLE + STOP + second + DONE, answers=2) == WHOLE
    assert streamed(COMPLETIONS, text("a", "stop") + text("b", "stop", 1) + DONE, 3) == CUT
    assert in_one_piece(CHAT, body("stop"), answers=2) == CUT
    assert in_one_piece(CHAT, body("stop", "length"), answers=2) == WHOLE


def test_every_input_must_have_its_vector() -> None:
    two = b'{"data": [{"embedding": [0.5]}, {"embedding": [0.5]}]}'
    assert in_one_piece("/v1/embeddings", two, answers=2) == WHOLE
    assert in_one_piece("/v1/embeddings", two, answers=3) == CUT


@pytest.mark.parametrize(
    ("path", "fields", "answers"),
    [
        (CHAT, {}, 1),
        (CHAT, {"n": 3}, 3),
        (CHAT, {"n": None}, 1),
        (CHAT, {"n": "3"}, 1),
        (CHAT, {"n": 0}, 1),
        (COMPLETIONS, {"prompt": "hello"}, 1),
        (COMPLETIONS, {"prompt": [5, 6, 7]}, 1),
        (COMPLETIONS, {"prompt": ["hello", "you"], "n": 2}, 4),
        (COMPLETIONS, {"prompt": [[5, 6], [7], [8]]}, 3),
        (COMPLETIONS, {"prompt": []}, 1),
        ("/v1/embeddings", {"input": "hello"}, 1),
        ("/v1/embeddings", {"input": ["hello", "you"]}, 2),
        ("/v1/embeddings", {"input": ["hello"], "encoding_format": "base64"}, 1),
        ("/v1/embeddings", {"input": ["hello"], "encoding_format": "bytes_only"}, 0),
        ("/v1/rerank", {"documents": ["a", "b"]}, 1),
    ],
)
def test_what_a_request_asks_for_is_counted(
    path: str, fields: dict[str, Any], answers: int
) -> None:
    assert ENDPOINTS[path].answers(fields) == answers


def test_vectors_as_raw_bytes_are_not_judged() -> None:
    assert in_one_piece("/v1/embeddings", b"\x00\x00\x00\x3f", answers=0) == WHOLE
