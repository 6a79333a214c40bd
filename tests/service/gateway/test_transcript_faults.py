"""What Speaches is known to get wrong does not reach a client."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub

HEAR = "/v1/audio/transcriptions"
TRANSLATE = "/v1/audio/translations"
SILENCE = ("silence.wav", b"RIFF-silence", "audio/wav")
DONE = {"type": "transcript.text.done", "text": ""}
WORDS = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
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
    client: httpx.Client,
    speech: OpenAIStub,
    cloud: OpenAIStub,
    asked: dict[str, str],
    kind: str,
    expected: Any,
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(no_speech=True)
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
    assert not cloud.received, "nobody else would hear more"


def test_a_translation_of_silence_is_empty_too(client: httpx.Client, speech: OpenAIStub) -> None:
    speech.behaviours["Systran/small"] = Behaviour(no_speech=True)
    answer = hear(client, TRANSLATE, response_format="verbose_json")
    assert (answer.status_code, answer.json()["task"]) == (200, "translate")


def test_the_python_client_reads_silence(gateway: Gateway, speech: OpenAIStub) -> None:
    speech.behaviours["Systran/small"] = Behaviour(no_speech=True)
    url = f"{gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key="sk-synapse-free", max_retries=0) as client:
        heard = client.audio.transcriptions.create(
            model="whisper", file=SILENCE, response_format="verbose_json"
        )
    assert (heard.text, heard.duration, heard.segments) == ("", 0, [])


def test_subtitles_of_nothing_have_their_head(client: httpx.Client, speech: OpenAIStub) -> None:
    speech.behaviours["Systran/small"] = Behaviour(words=())
    assert hear(client, response_format="vtt").text == "WEBVTT\n\n"


def test_a_transcript_that_breaks_off_before_it_begins_is_asked_for_whole(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(breaks_streams=True)
    told = events(hear(client, stream="true", response_format="text").text)
    assert [event["type"].rpartition(".")[2] for event in told] == ["delta", "done"]
    assert told[0]["delta"] == told[1]["text"] == "hello from the stub"
    assert [request.body.get("stream") for request in speech.received] == ["true", None]


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
