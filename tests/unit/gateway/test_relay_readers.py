"""What is read in an answer on its way: tokens, the first words, an engine's error."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.answers.judges import CutShort, Native
from synapse_common.answers.stream_guard import LineGuard, StreamGuard
from synapse_common.engines import Dialect
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.relay.readers import Reader, reader
from synapse_gateway.routes import ROUTES

Event = dict[str, Any]

DIALECTS: list[Dialect] = ["chat", "completions", "responses", "messages", "native"]
COUNTS = {"prompt_tokens": 7, "completion_tokens": 4}
LATER = {"input_tokens": 7, "output_tokens": 4}


def chat(delta: Event, **more: Any) -> Event:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}


SAID: list[tuple[Dialect, Event]] = [
    ("chat", chat({"content": "x"})),
    ("chat", chat({"role": "assistant", "content": "x"})),
    ("chat", chat({"reasoning": "x"})),
    ("chat", chat({"tool_calls": [{"index": 0}]})),
    ("chat", chat({"refusal": "x"})),
    ("completions", {"choices": [{"index": 1, "text": "x"}]}),
    ("responses", {"type": "response.output_text.delta", "delta": "x"}),
    ("responses", {"type": "response.output_item.added", "item": {}}),
    ("responses", {"type": "response.reasoning_text.delta", "delta": "x"}),
    ("messages", {"type": "content_block_start", "index": 0}),
    ("messages", {"type": "content_block_delta", "index": 0}),
    ("native", {"message": {"content": "x"}, "done": False}),
    ("native", {"message": {"content": "", "thinking": "x"}}),
    ("native", {"message": {"content": "", "tool_calls": [{}]}}),
    ("native", {"response": "x"}),
    ("native", {"response": "", "thinking": "x"}),
]
UNSAID: list[tuple[Dialect, Event]] = [
    ("chat", chat({"role": "assistant", "content": ""})),
    ("chat", chat({})),
    ("chat", {"choices": [], "usage": COUNTS}),
    ("completions", {"choices": [{"index": 0, "text": ""}]}),
    ("responses", {"type": "response.created", "response": {"usage": None}}),
    ("responses", {"type": "response.in_progress", "response": {}}),
    ("messages", {"type": "message_start", "message": {"usage": {"input_tokens": 7}}}),
    ("messages", {"type": "ping"}),
    ("native", {"message": {"content": ""}, "done": True}),
]
FAILED: list[tuple[Dialect, Event]] = [
    *((dialect, {"error": {"message": "x"}}) for dialect in DIALECTS),
    ("messages", {"type": "error", "error": {"type": "overloaded_error"}}),
    ("responses", {"type": "error", "code": "server_error", "message": "x"}),
    ("responses", {"type": "response.failed", "response": {"error": {"code": "server_error"}}}),
    ("native", {"error": "x"}),
]


def read(dialect: Dialect, *events: Event, wanted: bool = True) -> tuple[Reader, RequestRecord]:
    record = RequestRecord("POST", "/")
    reads = reader(dialect, record, wanted)
    for event in events:
        reads.passes(event)
    return reads, record


@pytest.mark.parametrize(("dialect", "event"), SAID)
def test_words_are_output(dialect: Dialect, event: Event) -> None:
    reads, record = read(dialect, event)
    assert reads.has_output
    assert record.first_token_s is not None


@pytest.mark.parametrize(("dialect", "event"), UNSAID)
def test_who_speaks_and_how_much_is_none(dialect: Dialect, event: Event) -> None:
    reads, record = read(dialect, event)
    assert not reads.has_output
    assert record.first_token_s is None


@pytest.mark.parametrize(("dialect", "event"), FAILED)
def test_an_engines_error_does_not_go_out(dialect: Dialect, event: Event) -> None:
    reads, _ = read(dialect)
    assert reads.passes(event) is False
    assert reads.error is not None


@pytest.mark.parametrize(
    ("dialect", "events"),
    [
        ("chat", [chat({"content": "x"}), {"choices": [], "usage": COUNTS}]),
        ("chat", [chat({"content": "x"}, usage=None), chat({}, usage=COUNTS)]),
        ("completions", [{"choices": [], "usage": COUNTS}]),
        ("responses", [{"type": "response.completed", "response": {"usage": LATER}}]),
        ("messages", [
            {"type": "message_start", "message": {"usage": {**LATER, "output_tokens": 0}}},
            {"type": "message_delta", "delta": {}, "usage": {**LATER, "input_tokens": 0}},
        ]),
        ("native", [{"response": "", "done": True, "prompt_eval_count": 7, "eval_count": 4}]),
    ],
)  # fmt: skip
def test_tokens_of_a_stream_are_noted(dialect: Dialect, events: list[Event]) -> None:
    _, record = read(dialect, *events)
    assert (record.tokens_in, record.tokens_out) == (7, 4)


@pytest.mark.parametrize(
    ("dialect", "answer", "out"),
    [
        ("chat", {"usage": COUNTS}, 4),
        ("embeddings", {"usage": {"prompt_tokens": 7, "total_tokens": 7}}, 0),
        ("responses", {"usage": LATER}, 4),
        ("messages", {"usage": LATER}, 4),
        ("native", {"prompt_eval_count": 7, "eval_count": 4}, 4),
        ("native", {"embeddings": [], "prompt_eval_count": 7}, 0),
    ],
)
def test_tokens_of_a_whole_answer_are_noted(dialect: Dialect, answer: Event, out: int) -> None:
    record = RequestRecord("POST", "/")
    reader(dialect, record, True).whole(answer)
    assert (record.tokens_in, record.tokens_out) == (7, out)


def test_the_event_with_counts_goes_only_to_who_asked() -> None:
    litellms = [{"index": 0, "delta": {}}]
    for choices, wanted in product(([], litellms), (True, False)):
        reads, record = read("chat", wanted=wanted)
        assert reads.passes({"choices": choices, "usage": COUNTS}) is wanted
        assert reads.passes(chat({}, usage=COUNTS) | {"choices": [{"finish_reason": "stop"}]})
        assert reads.passes(chat({"content": "x"}, usage=COUNTS)), "it says something too"
        assert record.tokens == 11


@pytest.mark.parametrize(
    ("dialect", "events", "counts"),
    [
        ("chat", [chat({"role": "assistant"}), *[chat({"content": "x"})] * 3], (9, 3, True)),
        ("chat", [chat({"content": "x"}), {"choices": [], "usage": COUNTS}], (7, 4, False)),
        ("chat", [chat({"tool_calls": [{"index": 0}]})], (9, 1, True)),
        ("chat", [chat({"reasoning": "x"})], (9, 1, True)),
        ("chat", [chat({"content": "several words"})], (9, 1, True)),
        ("completions", [{"choices": [{"index": 0, "text": "x"}]}] * 2, (9, 2, True)),
        (
            "responses",
            [
                {"type": "response.output_item.added", "item": {}},
                *[{"type": "response.output_text.delta", "delta": "x"}] * 2,
            ],
            (9, 2, True),
        ),
        (
            "messages",
            [
                {"type": "message_start", "message": {"usage": {**LATER, "output_tokens": 0}}},
                {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
                {"type": "content_block_delta", "delta": {"partial_json": "{"}},
            ],
            (7, 2, True),
        ),
        ("native", [{"message": {"content": "x"}}, {"message": {"thinking": "x"}}], (9, 2, True)),
        ("native", [{"response": "x"}], (9, 1, True)),
        ("chat", [chat({"role": "assistant"})], (None, None, False)),
    ],
    ids=[
        "a-token-an-event",
        "what-the-engine-counted-is-exact",
        "a-call",
        "thoughts",
        "one-event-of-ours-is-one-token",
        "completions",
        "responses",
        "messages-count-the-prompt-first",
        "native-chat",
        "native-generate",
        "nothing-was-said",
    ],
)
def test_an_answer_that_was_stopped_is_counted_as_far_as_it_went(
    dialect: Dialect, events: list[Event], counts: tuple[int | None, int | None, bool]
) -> None:
    reads, record = read(dialect, *events)
    reads.ends(9)
    assert (record.tokens_in, record.tokens_out, record.tokens_estimated) == counts
    assert record.line().get("tokens_estimated", False) == counts[2]


def test_what_is_outside_may_say_many_tokens_at_once() -> None:
    reads, record = read("chat", chat({"content": "several words"}))
    reads.ends(9, is_outside=True)
    assert (record.tokens_in, record.tokens_out) == (9, 3)


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        ("chat", {"choices": [{"delta": ["x"]}]}),
        ("chat", {"choices": [5]}),
        ("chat", {"choices": 5}),
        ("native", {"message": "x"}),
    ],
)
def test_what_makes_no_sense_may_have_been_a_part_of_the_answer(
    dialect: Dialect, event: Event
) -> None:
    with pytest.raises(CutShort):
        read(dialect, event)


KEYS = st.sampled_from([
    "choices", "delta", "usage", "message", "response", "type", "content", "text", "index", "done",
    "finish_reason", "error", "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens",
    "prompt_eval_count", "eval_count", "tool_calls", "thinking", "sequence_number", "done_reason",
])  # fmt: skip
KINDS = st.sampled_from([
    "response.completed", "response.failed", "response.output_text.delta", "message_start",
    "message_delta", "content_block_start", "message_stop", "error",
])  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat"]


@given(st.sampled_from(PATHS), st.lists(st.dictionaries(KEYS, ANYTHING, max_size=4), max_size=3))
def test_an_engine_that_talks_nonsense_cuts_its_answer_short_and_breaks_nothing(
    path: str, events: list[Event]
) -> None:
    record = RequestRecord("POST", path)
    reads = reader(ROUTES[path].dialect, record, False)
    events_of = path in ENDPOINTS
    judge = ENDPOINTS[path].judge(1) if events_of else Native(1)
    guard = (StreamGuard if events_of else LineGuard)(judge, reads.passes)
    for event in events:
        written = json.dumps(event).encode() + b"\n"
        guard.feed(b"data: " + written + b"\n" if events_of else written)
        if guard.cut is not None:
            break
    reads.ends(9)
    assert record.tokens >= 0
    assert record.line()
