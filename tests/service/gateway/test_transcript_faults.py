"""What Speaches is known to get wrong does not reach a client."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub
from openai_stub.answers import TRANSCRIPT
from openai_stub.server import DETECTION

HEAR = "/v1/audio/transcriptions"
TRANSLATE = "/v1/audio/translations"
SILENCE = ("silence.wav", b"RIFF-silence", "audio/wav")
DONE = {"type": "transcript.text.done", "text": ""}
WORDS = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
SEGMENT = {"start": 0.0, "end": 1.0}
NOTHING_SAID = pytest.mark.parametrize(
    ("asked", "kind", "expected"),
    [
        ({}, "application/json", {"text": ""}),
        (WORDS, "application/json", {"text": "", "segments": [], "words": []}),
        ({"response_format": "text"}, "text/plain", ""),
        ({"response_format": "srt"}, "text/plain", ""),
        ({"response_format": "vtt"}, "text/vtt", "WEBVTT\n\n"),
        ({"stream": "true"}, "text/event-stream", DONE),
    ],
    ids=["json", "verbose", "text", "srt", "vtt", "stream"],
)


def hear(client: httpx.Client, path: str = HEAR, **asked: str) -> httpx.Response:
    return client.post(path, data={"model": "whisper", **asked}, files={"file": SILENCE})


@NOTHING_SAID
def test_a_recording_without_speech_is_an_empty_transcript(
    gateway: Gateway,
    client: httpx.Client,
    speech: OpenAIStub,
    asked: dict[str, str],
    kind: str,
    expected: Any,
) -> None:
    speech.behaviours[DETECTION] = Behaviour(body=[])
    answer = hear(client, **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-synapse-model"] == "whisper"
    if isinstance(expected, str):
        assert answer.text == expected
    elif "stream" in asked:
        assert events(answer.text) == [expected]
    else:
        assert expected.items() <= answer.json().items()
    assert not speech.received, "Whisper would make words of it"
    (looked,) = speech.detections
    assert (looked.body["file"], looked.filename) == (SILENCE[1], SILENCE[0])
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["reason"], line["fallback"]) == ("whisper", None, False)


def test_a_translation_of_silence_is_empty_too(client: httpx.Client, speech: OpenAIStub) -> None:
    speech.behaviours[DETECTION] = Behaviour(body=[])
    answer = hear(client, TRANSLATE, response_format="verbose_json")
    assert (answer.status_code, answer.json()["task"]) == (200, "translate")
    assert answer.json()["text"] == ""


def test_the_python_client_reads_silence(gateway: Gateway, speech: OpenAIStub) -> None:
    speech.behaviours[DETECTION] = Behaviour(body=[])
    url = f"{gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key="sk-synapse-free", max_retries=0) as client:
        heard = client.audio.transcriptions.create(
            model="whisper", file=SILENCE, response_format="verbose_json"
        )
    assert (heard.text, heard.duration, heard.segments) == ("", 0, [])


@pytest.mark.parametrize(
    "trouble",
    [
        Behaviour(crashes=True),
        Behaviour(status=404, detail="Not Found"),
        Behaviour(body={"detail": "of another shape"}),
    ],
    ids=["crash", "no-such-path", "shape"],
)
def test_where_speech_cannot_be_looked_for_the_recording_is_transcribed(
    client: httpx.Client, speech: OpenAIStub, trouble: Behaviour
) -> None:
    speech.behaviours[DETECTION] = trouble
    assert hear(client).json() == {"text": TRANSCRIPT}


def test_a_provider_is_not_asked_where_somebody_speaks(
    client: httpx.Client, cloud: OpenAIStub
) -> None:
    cloud.behaviours[DETECTION] = Behaviour(body=[])
    answer = client.post(HEAR, data={"model": "whisper-cloud"}, files={"file": SILENCE})
    assert answer.json() == {"text": TRANSCRIPT}
    assert not cloud.detections


@pytest.mark.parametrize("asked", [{}, {"response_format": "text"}], ids=["json", "text"])
def test_what_whisper_makes_of_noise_is_left_out(
    client: httpx.Client, speech: OpenAIStub, asked: dict[str, str]
) -> None:
    noise = SEGMENT | {"text": " Thank you.", "no_speech_prob": 0.69, "avg_logprob": -1.04}
    whole = {"language": "en", "duration": 9.0, "text": "Thank you. Stop.", "words": None}
    said = SEGMENT | {"text": " Stop.", "no_speech_prob": 0.59, "avg_logprob": -0.88}
    speech.behaviours["Systran/small"] = Behaviour(body={**whole, "segments": [noise, said]})
    assert "Thank" not in hear(client, **asked).text
    assert "Stop." in hear(client, **asked).text


@pytest.mark.parametrize("body", [["no", "transcript"], {"text": None}], ids=["list", "text"])
def test_an_answer_that_is_no_transcript_is_taken_over(
    client: httpx.Client, speech: OpenAIStub, body: Any
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(body=body)
    assert hear(client).headers["x-synapse-model"] == "whisper-cloud"


@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_crash_is_taken_over(client: httpx.Client, speech: OpenAIStub, stream: str) -> None:
    speech.behaviours["Systran/small"] = Behaviour(crashes=True)
    answer = hear(client, stream=stream)
    assert (answer.status_code, answer.headers["x-synapse-model"]) == (200, "whisper-cloud")


def test_a_streams_last_event_has_the_whole_text(client: httpx.Client, speech: OpenAIStub) -> None:
    words = (" Hello", " from", " the", " stub.")
    speech.behaviours["Systran/small"] = Behaviour(forgets_text=True, words=words)
    *deltas, done, _ = events(hear(client, stream="true").text)
    assert tuple(event["delta"] for event in deltas) == words
    assert done == DONE | {"text": "Hello from the stub."}


def test_a_stream_without_its_last_event_is_an_interruption(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(ends_after_words=2)
    answer = hear(client, stream="true")
    *deltas, last = events(answer.text)
    assert len(deltas) == 2
    assert last["error"]["code"] == "answer_interrupted"
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (502, "answer_interrupted")


def test_a_stream_that_ends_before_it_begins_is_taken_over(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(ends_after_words=0)
    answer = hear(client, stream="true")
    assert answer.headers["x-synapse-model"] == "whisper-cloud"
    assert events(answer.text)[-2]["type"] == DONE["type"]


def test_a_file_without_samples_is_400(client: httpx.Client, speech: OpenAIStub) -> None:
    # Speaches divides by the length when it has decoded nothing.
    text = "Failed to decode audio."
    speech.behaviours["Systran/small"] = Behaviour(status=500, detail=text)
    answer = hear(client)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, text)
