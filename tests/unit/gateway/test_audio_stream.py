"""A streamed transcript passes in whole events, and its end is what was told."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_gateway.audio import stream as streams
from synapse_gateway.audio.stream import DELTA, DONE, Stream


def event(**data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def told(passed: bytes) -> list[dict[str, Any]]:
    return [json.loads(part.removeprefix(b"data: ")) for part in passed.split(b"\n\n") if part]


HELLO = event(type=DELTA, delta=" Hello") + event(type=DELTA, delta=" there.")
END = event(type=DONE, text="")


@given(st.lists(st.integers(0, len(HELLO + END)), max_size=8), st.sampled_from([b"\n", b"\r\n"]))
def test_the_pieces_it_comes_in_do_not_matter(cuts: list[int], line_end: bytes) -> None:
    data = (HELLO + END).replace(b"\n", line_end)
    places = [0, *sorted(cuts), len(data)]
    stream = Stream()
    passed = b"".join(stream.feed(data[start:end]) for start, end in pairwise(places))
    assert [each.get("delta") for each in told(passed)] == [" Hello", " there.", None]
    assert told(passed)[-1]["text"] == "Hello there."
    assert stream.complete


def test_a_text_that_is_there_is_left_alone() -> None:
    stream = Stream()
    last = event(type=DONE, text="Hello, there!", usage={"seconds": 1})
    assert stream.feed(HELLO + last) == HELLO + last


def test_a_text_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "TEXT_CHARACTERS_AT_MOST", 10)
    stream = Stream()
    assert stream.feed(HELLO + END) == HELLO + END
    assert stream._told == []


def test_an_event_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "EVENT_BYTES_AT_MOST", 100)
    with pytest.raises(ConnectionError, match="larger than 100 bytes"):
        Stream().feed(b"x" * 101)


def test_an_engines_own_error_does_not_pass() -> None:
    stream = Stream()
    assert stream.feed(HELLO + event(error={"message": "http://10.0.0.7 is down"})) == HELLO
    assert not stream.complete


def test_what_is_no_event_of_a_transcript_passes() -> None:
    other = b": ping\n\ndata: [DONE]\n\ndata: [1]\n\n"
    assert Stream().feed(other) == other
