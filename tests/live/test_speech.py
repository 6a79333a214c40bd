"""Speech through port 8000 as OpenAI's own client asks for it: said, heard, refused."""

import json
import re
from collections.abc import Callable

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster

from .conftest import log_line
from .recordings import SENTENCE, STORY, seconds, spoken, understood


def test_what_is_said_is_understood(jarvis: openai.OpenAI, wav: bytes) -> None:
    heard = jarvis.audio.transcriptions.create(model="whisper-1", file=("say.wav", wav))
    assert understood(heard.text), heard.text


@pytest.mark.filterwarnings("ignore:deprecated")
def test_translations_answer(jarvis: openai.OpenAI, wav: bytes) -> None:
    heard = jarvis.audio.translations.create(model="whisper-1", file=("say.wav", wav))
    assert understood(heard.text), heard.text


@pytest.mark.parametrize("kind", ["mp3", "wav", "opus", "flac", "aac"])
def test_every_format_is_what_it_says(jarvis: openai.OpenAI, kind: str) -> None:
    assert 1 < seconds(spoken(jarvis, kind=kind)) < 4


def test_pcm_is_24_khz(jarvis: openai.OpenAI) -> None:
    assert 1 < len(spoken(jarvis, kind="pcm")) / 2 / 24_000 < 4


@pytest.mark.parametrize(
    ("form", "holds"),
    [
        ("text", lambda body: "cat" in body),
        (
            "srt",
            lambda body: re.match(
                r"(?i)1\n00:00:0[01],\d{3} --> 00:00:0[1-4],\d{3}\n *the cat", body
            ),
        ),
        ("vtt", lambda body: body.startswith("WEBVTT")),
        ("verbose_json", lambda body: json.loads(body)["words"][0]["end"] > 0),
    ],
)
def test_every_form_of_a_transcript(
    http: httpx.Client, wav: bytes, form: str, holds: Callable[[str], object]
) -> None:
    times = {"timestamp_granularities[]": "word"} if form == "verbose_json" else {}
    asked = {"model": "whisper-1", "response_format": form, **times}
    answer = http.post("/v1/audio/transcriptions", data=asked, files={"file": ("say.wav", wav)})
    assert answer.status_code == 200, answer.text
    assert holds(answer.text), answer.text


def test_speech_and_transcripts_are_streamed(jarvis: openai.OpenAI) -> None:
    with jarvis.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=f"{SENTENCE} " * 20, response_format="pcm"
    ) as answer:
        assert len(list(answer.iter_bytes())) > 5
    said = spoken(jarvis, STORY)
    events = jarvis.audio.transcriptions.create(
        model="whisper-1", file=("say.wav", said), stream=True
    )
    *deltas, done = list(events)
    assert done.type == "transcript.text.done"
    pieces = [event.delta for event in deltas if event.type == "transcript.text.delta"]
    assert len(pieces) == len(deltas) >= 2
    assert done.text == "".join(pieces).strip()


def test_a_missing_voice_is_told_with_those_that_are_there(jarvis: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=r"alloy.*thorsten"):
        jarvis.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")


def test_an_upload_that_is_too_large_is_refused(http: httpx.Client) -> None:
    files = {"file": ("large.wav", bytes(100 * 1024**2))}
    answer = http.post("/v1/audio/transcriptions", data={"model": "whisper-1"}, files=files)
    assert answer.status_code == 413
    assert set(answer.json()) == {"error"}


def test_voices_are_listed_with_their_languages_to_whom_may_use_them(
    http: httpx.Client, agents: openai.OpenAI
) -> None:
    told = http.get("/v1/audio/voices").json()
    found = {(voice["model"], voice["name"], voice["language"]) for voice in told["data"]}
    assert {("speaker", "alloy", "en-US"), ("speaker", "thorsten", "de-DE")} <= found
    assert told["unavailable"] == []
    key = {"authorization": f"Bearer {agents.api_key}"}
    assert http.get("/v1/audio/voices", headers=key).json()["data"] == []


def test_an_application_speaks_only_where_it_may(agents: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        agents.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")


def test_log_line_tells_who_spoke(http: httpx.Client, cluster: Cluster) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": SENTENCE}
    answer = http.post("/v1/audio/speech", json=asked)
    assert answer.status_code == 200
    line = log_line(cluster, answer.headers["x-request-id"])
    assert (line["kind"], line["asked"], line["served"]) == ("speech", "tts-1", "speaker")
    assert 0 < line["first_byte_s"] <= line["duration_s"]
    assert line["bytes_out"] == len(answer.content)
