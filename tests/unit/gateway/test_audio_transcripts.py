"""A transcript is written in the format that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synapse_gateway.audio import bare_samples
from synapse_gateway.audio.recording import Recording
from synapse_gateway.audio.request import AudioRequest, length_s
from synapse_gateway.audio.transcript import Segment, Transcript, Word
from synapse_gateway.audio.transcripts import written
from synapse_gateway.audio.uploads import Upload
from synapse_gateway.config import Model

EARS = Model(
    url="http://engine/v1",
    served_name="served",
    name="ears",
    kind="transcription",
    engine="speaches",
)
HEARD = Transcript(
    text="R&D is <here>. --> 2",
    language="en",
    duration=3723.5,
    segments=[Segment(text=" R&D is <here>. --> 2", start=3720.0, end=3723.4, seek=7)],
    words=[
        Word(word=" R&D", start=3720.0004, end=3720.5),
        Word(word=" is", start=3720.5, end=3721),
        Word(word=" <here>.", start=3721, end=3721.9996),
        Word(word=" -->", start=3722, end=3722.5),
        Word(word=" 2", start=3722.5, end=3723.4),
    ],
)


def asked(*form: tuple[str, str]) -> AudioRequest:
    return AudioRequest("/audio/transcriptions", "ears", EARS, 0, form=form)


def test_srt_counts_and_has_commas() -> None:
    _, body = written(HEARD, asked(("response_format", "srt")))
    assert body.decode() == (
        "1\n01:02:00,000 --> 01:02:02,000\nR&D is <here>.\n\n"
        "2\n01:02:02,000 --> 01:02:03,400\n--> 2\n\n"
    )


def test_vtt_has_a_head_and_what_would_be_a_tag_is_none() -> None:
    kind, body = written(HEARD, asked(("response_format", "vtt")))
    assert kind.startswith("text/vtt")
    assert body.decode() == (
        "WEBVTT\n\n01:02:00.000 --> 01:02:02.000\nR&amp;D is &lt;here&gt;.\n\n"
        "01:02:02.000 --> 01:02:03.400\n--&gt; 2\n\n"
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_verbose_json_has_segments_and_words_where_they_are_wanted(wanted: bool) -> None:
    times = [("timestamp_granularities[]", "word")] if wanted else []
    _, body = written(HEARD, asked(("response_format", "verbose_json"), *times))
    told: dict[str, Any] = json.loads(body)
    assert (told["task"], told["language"], told["duration"]) == ("transcribe", "en", 3723.5)
    assert [each["text"] for each in told["segments"]] == [" R&D is <here>.", " --> 2"]
    assert [each["id"] for each in told["segments"]] == [0, 1]
    assert told["segments"][1]["seek"] == 7
    assert ("words" in told) is wanted
    if wanted:
        assert told["words"][0] == {"word": "R&D", "start": 3720.0, "end": 3720.5}


@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_bare_samples_say_how_long_they_are(rate: int) -> None:
    kind = "audio/pcm" if rate == bare_samples.RATE else f"audio/pcm;rate={rate}"
    content = bytes(2 * rate * 3)
    file = Recording("a.pcm", kind)
    await file.write(content)
    await file.rewind()
    head = await bare_samples.head(file)
    assert await file.read(1) == b"\0", "the recording is still read from its beginning"
    assert await length_s(Upload((), file, len(content), head)) == 3.0
