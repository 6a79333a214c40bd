"""Recordings as they really come: damaged, silent, very short, very long, not sound at all."""

import io
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest

from .recordings import (
    RATE,
    SENTENCE,
    Samples,
    opus,
    pictures,
    spoken,
    understood,
    wav_file,
)

PATH = "/v1/audio/transcriptions"
ASKED = {"model": "whisper-1"}
HALF_HOUR_S, HALF_HOUR_LIMIT_S = 1800, 240
NO_SOUND = {
    "a text": b"This is a text.",
    "nothing": b"",
    "noughts": bytes(4096),
    "a beginning of a WAV header": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "a WAV file without sound": wav_file(np.zeros(0, dtype=np.int16)),
    "a beginning of an Ogg file": opus(np.zeros(RATE, dtype=np.int16))[:60],
    "a film without sound": pictures(),
}
WRONG_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({}, "model"),
    "an unknown model": ({"model": "whisper-9"}, "whisper-9"),
    "an unknown language": (ASKED | {"language": "xx"}, "en"),
    "an unknown format": (ASKED | {"response_format": "pdf"}, ""),
    "a temperature in words": (ASKED | {"temperature": "warm"}, ""),
}


def refused(answer: httpx.Response) -> str:
    """Assert that an answer is a refusal in OpenAI's shape; return its sentence."""
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return str(error["message"])


def heard(http: httpx.Client, name: str, content: bytes, **asked: Any) -> httpx.Response:
    """Upload a recording."""
    return http.post(PATH, data=ASKED | asked, files={"file": (name, content)})


def samples(audio: bytes) -> Samples:
    """Return a WAV file's samples."""
    with av.open(io.BytesIO(audio), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frames = [piece for f in container.decode(audio=0) for piece in resampler.resample(f)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def silence(length_s: int) -> bytes:
    """Return a recording of nothing."""
    return wav_file(np.zeros(length_s * RATE, dtype=np.int16))


@pytest.mark.parametrize("content", NO_SOUND.values(), ids=NO_SOUND.keys())
def test_what_is_no_sound_is_refused_and_the_next_request_works(
    http: httpx.Client, wav: bytes, content: bytes
) -> None:
    assert refused(heard(http, "x.wav", content))
    assert heard(http, "x.wav", wav).status_code == 200


@pytest.mark.parametrize(("fields", "named"), WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_what_is_asked_wrongly_is_refused_by_name(
    http: httpx.Client, wav: bytes, fields: dict[str, Any], named: str
) -> None:
    assert named in refused(http.post(PATH, data=fields, files={"file": ("x.wav", wav)}))
    assert heard(http, "x.wav", wav).status_code == 200


def test_a_form_without_a_recording_is_refused(http: httpx.Client) -> None:
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    form = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x--\r\n'
    assert "file" in refused(http.post(PATH, content=form, headers=boundary))


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "opus", "aac"])
def test_half_a_file_is_understood_as_far_as_it_goes(
    jarvis: openai.OpenAI, http: httpx.Client, kind: str
) -> None:
    whole = spoken(jarvis, f"{SENTENCE} " * 3, kind)
    answer = heard(http, f"half.{kind}", whole[: len(whole) // 2])
    assert answer.status_code == 200, answer.text
    assert "cat" in answer.json()["text"].lower()


def test_the_name_of_a_file_does_not_matter(jarvis: openai.OpenAI, http: httpx.Client) -> None:
    answer = heard(http, "really.wav", spoken(jarvis, kind="mp3"))
    assert understood(answer.json()["text"])


@pytest.mark.parametrize("form", ["json", "verbose_json", "text", "srt", "vtt"])
@pytest.mark.parametrize("length_s", [3, 45])
def test_silence_has_no_words(http: httpx.Client, length_s: int, form: str) -> None:
    answer = heard(http, "silent.wav", silence(length_s), response_format=form)
    assert answer.status_code == 200, answer.text
    text = answer.json()["text"] if "json" in form else answer.text
    assert text.removeprefix("WEBVTT").strip() == ""


@pytest.mark.parametrize("length_s", [3, 45])
def test_streamed_silence_ends_like_any_stream(jarvis: openai.OpenAI, length_s: int) -> None:
    events = jarvis.audio.transcriptions.create(
        model="whisper-1", file=("silent.wav", silence(length_s)), stream=True
    )
    *deltas, done = list(events)
    assert done.type == "transcript.text.done"
    assert done.text == ""
    assert not deltas


def test_a_tenth_of_a_second_is_answered(http: httpx.Client, wav: bytes) -> None:
    short = wav_file(samples(wav)[RATE // 4 :][: RATE // 10])
    answer = heard(http, "short.wav", short)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["text"], str)


@pytest.mark.timeout(300)
def test_half_an_hour_is_understood_with_its_times(jarvis: openai.OpenAI, wav: bytes) -> None:
    sentence, places_s = samples(wav), (10, 900, 1790)
    recording = np.zeros(HALF_HOUR_S * RATE, dtype=np.int16)
    for place_s in places_s:
        recording[place_s * RATE :][: sentence.size] = sentence
    told = jarvis.with_options(timeout=HALF_HOUR_LIMIT_S).audio.transcriptions.create(
        model="whisper-1",
        file=("half-an-hour.ogg", opus(recording)),
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert told.duration == pytest.approx(HALF_HOUR_S, abs=1)
    words = told.words or []
    for place_s in places_s:
        there = [word.word for word in words if place_s <= word.start <= place_s + 3]
        assert understood(" ".join(there)), words
    assert len(words) <= 7 * len(places_s), words
