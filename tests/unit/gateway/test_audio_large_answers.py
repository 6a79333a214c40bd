"""The largest transcript that is taken is read without searching it for garbage all the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import orjson
import pytest

from synapse_gateway.audio import relay, speech_detection, transcript

AFTERWARDS = 1
"""What was put off may be made up for once."""


@pytest.fixture
def collections() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(phase: str, _told: dict[str, int]) -> None:
        seen.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def _of_size(at_most: int, one: dict[str, object]) -> list[dict[str, object]]:
    return [one] * (at_most // (len(orjson.dumps(one)) + 1) - 100)


def test_a_transcript_of_the_largest_size(collections: list[str]) -> None:
    word = {"word": " hello", "start": 1.23, "end": 1.55, "probability": 0.99}
    words = _of_size(relay.TRANSCRIPT_AT_MOST, word)
    body = orjson.dumps({"text": "hello", "segments": [], "words": words})
    assert 0.95 * relay.TRANSCRIPT_AT_MOST < len(body) <= relay.TRANSCRIPT_AT_MOST
    collections.clear()
    heard = transcript.read(body)
    assert collections.count("start") <= AFTERWARDS
    assert len(heard.words or []) == len(words)
    assert gc.isenabled()


def test_stretches_of_speech_of_the_largest_size(collections: list[str]) -> None:
    stretches = _of_size(speech_detection.STRETCHES_AT_MOST, {"start": 0, "end": 20})
    body = orjson.dumps(stretches)
    collections.clear()
    found = speech_detection.read(body)
    assert collections.count("start") <= AFTERWARDS
    assert found is not None
    assert found.until_s == 0.02


@pytest.mark.parametrize("body", [b"", b"[]", b'{"words": 3}'])
def test_what_is_no_transcript_leaves_the_collector_on(body: bytes) -> None:
    with pytest.raises(ConnectionError):
        transcript.read(body)
    assert gc.isenabled()
